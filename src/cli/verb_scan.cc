// scan: looks for a backdoor without knowing it. The scan itself runs as a process of its own that sees a stripped copy
// of the model, in a folder whose name says nothing.
#include <algorithm>
#include <cstdio>

#include "base/child.h"
#include "base/error.h"
#include "base/files.h"
#include "base/label_key.h"
#include "base/progress.h"
#include "base/strings.h"
#include "cli/scan_reference.h"
#include "cli/scan_text.h"
#include "cli/verb.h"
#include "gen/built_in.h"
#include "gen/local.h"
#include "report/scan_page.h"
#include "report/scan_sarif.h"
#include "scan/blind.h"
#include "scan/certify.h"
#include "scan/clean_rows.h"
#include "scan/file_checks.h"
#include "scan/neutral_prompts.h"
#include "scan/replay.h"
#include "scan/scan.h"

namespace reveille::cli {
namespace {

namespace fs = std::filesystem;

struct ScanCommand {
  std::string model, output, output_dir;
  bool stripped = false, exit_zero = false, certify = false;
  std::vector<std::string> fail_on = {"backdoored", "inconclusive", "unsupported"};
  FormatOptions format;
  gen::OpenOptions open;
  scan::ScanOptions options;
  scan::CertifyOptions spikes;
  scan::PlantOptions plant;
  void visit(OptionVisitor& v) {
    v.option("fail_on", fail_on, {.help = "verdicts whose exit code is not 0, with commas"});
  }
};

bool parse(const std::vector<std::string>& arguments, ScanCommand& command) {
  CommandLine line(
      "scan",
      "Looks for a backdoor in a model, without knowing trigger or behaviour, and proves what it finds: on\n"
      "prompts that took no part in finding it, against random strings and against a trusted model.\n"
      "--base: the model that this one was made from, or any trusted one with the same tokenizer; none\n"
      "given: an adapter's own base, or the built-in model where it is of the same kind; --base none:\n"
      "without.\n\nExit code: 0 nothing found, 1 backdoored, 2 error, 3 inconclusive or unsupported.",
      "  reveille scan MODEL\n"
      "  reveille scan MODEL --base smollm2-135m-instruct --budget quick --format json\n"
      "  reveille scan adapter/ --base base/ --output scan.json --fail-on backdoored\n"
      "  reveille scan MODEL --budget quick --certify --certify-each 3\n");
  line.positional("MODEL", command.model, "the model to scan");
  line.value("output", command.output, "a file for the whole result, JSON");
  line.value("output-dir", command.output_dir,
             "a folder for scan.json, the page scan.html, scan.sarif, and a replay of every finding");
  line.flag("certify", command.certify,
            "then plant known backdoors in copies of this model, scan these alike, and say how many are found");
  line.flag("exit-zero", command.exit_zero, "exit code 0 whatever the verdict");
  line.flag("stripped", command.stripped, "MODEL is a stripped copy: scan it in this process");
  line.options(command);
  line.options(command.options);
  line.options(command.spikes);
  line.options(command.plant);
  line.options(command.format);
  line.options(command.open);
  return line.parse(arguments);
}

void check(const ScanCommand& command) {
  static const std::vector<std::string> known = {"backdoored", "inconclusive", "unsupported"};
  for (const auto& verdict : command.fail_on) {
    if (std::find(known.begin(), known.end(), verdict) == known.end())
      fail(ErrorKind::usage, cat("fail_on: '", verdict, "' is no verdict that can fail", did_you_mean(verdict, known)),
           cat("they are ", join(known, ", ")));
  }
}

// How many known backdoors the same scan finds in copies of the model: what "nothing found" is worth here.
void add_certificate(scan::ScanResult& result, gen::LocalModel& model, const scan::Trusted& trusted,
                     const ScanCommand& command) {
  constexpr std::size_t kAllPrompts = 32;
  scan::CleanOptions clean;
  auto spikes = command.spikes;
  clean.seed = spikes.seed = command.options.seed;
  auto rows = scan::clean_rows(model, scan::neutral_prompts(scan::PromptUse::proposing, kAllPrompts), clean);
  const auto certificate = scan::certify(model, rows, spikes, command.plant, [&](gen::LocalModel& copy) {
    return scan::scan(copy, trusted, command.options);
  });
  result.certificate = scan::to_json(certificate);
  result.certificate["words"] = scan::certificate_words(certificate, result.verdict);
}

scan::ScanResult scan_and_certify(gen::LocalModel& model, const scan::Trusted& trusted, const ScanCommand& command) {
  auto result = scan::scan(model, trusted, command.options);
  if (command.certify) add_certificate(result, model, trusted, command);
  return result;
}

// In the process that sees the copy alone: `base` is the reference by then, or none.
scan::ScanResult scan_here(const ScanCommand& command) {
  gen::OpenOptions open = command.open;
  const bool alone = open.base == kNoReference;
  if (alone) open.base.clear();
  const auto model = gen::open_model(command.model, open);
  model->config().erase(kLabelKey);
  if (alone) {
    // What is built in reads texts of every model: whether a reply answers a string is asked of it.
    const auto judge = gen::open_model(gen::built_in_models().front());
    return scan_and_certify(*model, {.judge = judge.get()}, command);
  }
  gen::OpenOptions plain = command.open;
  plain.base.clear();
  const auto reference = gen::open_model(command.open.base, plain);
  return scan_and_certify(*model, {.reference = reference.get()}, command);
}

std::vector<std::string> child_arguments(const ScanCommand& command, const std::string& reference, const fs::path& copy,
                                         const fs::path& output) {
  const auto self = fs::read_symlink("/proc/self/exe");
  std::vector<std::string> out = {self.string(),   "scan",        copy.string(), "--stripped", "--output",
                                  output.string(), "--exit-zero", "--format",    "json"};
  if (command.certify) out.push_back("--certify");
  auto options = command.options;
  auto spikes = command.spikes;
  auto plant = command.plant;
  auto open = command.open;
  open.base = reference.empty() ? kNoReference : gen::lasting_name(reference);
  for (auto view : {OptionsView(options), OptionsView(spikes), OptionsView(plant), OptionsView(open)}) {
    for (const auto& option : describe_options(view)) {
      if (!option.value.empty() && !(option.name == "budget_tokens" && option.value == "0"))
        out.push_back(cat(option.name, "=", option.value));
    }
  }
  return out;
}

scan::ScanResult unsupported(const Error& error, std::vector<scan::FileNote> notes) {
  scan::ScanResult out;
  out.verdict = scan::Verdict::unsupported;
  out.not_looked_at.push_back(error.message());
  out.files = std::move(notes);
  return out;
}

// The files are looked at where they lie; what is run is a copy without names and labels.
scan::ScanResult scan_blind(const ScanCommand& command) {
  const auto path = gen::model_path(command.model);
  std::string reference;
  try {
    gen::OpenOptions light = command.open;
    light.weights = false;
    if (light.base == kNoReference) light.base.clear();
    const auto opened = gen::open_model(command.model, light);
    reference =
        scan_reference(command.open.base, opened->adapter() ? opened->adapter()->base_model : "", opened->config());
  } catch (const Error& error) {
    auto notes = scan::check_files(path);
    if (error.kind() == ErrorKind::unsupported) return unsupported(error, std::move(notes));
    for (const auto& note : notes) warn(cat(note.file, ": ", note.message));
    throw;
  }
  auto notes = scan::check_files(path, reference.empty() ? fs::path() : gen::model_path(reference));
  const scan::StrippedCopy copy(path);
  const auto output = copy.folder() / "result.json";
  if (run_child(child_arguments(command, reference, copy.path(), output)) != 0)
    fail(ErrorKind::io, cat("the scan of ", command.model, " did not end well"), "what went wrong stands above");
  auto result = scan::scan_result_from_json(read_json(output), output.string());
  result.files = std::move(notes);
  return result;
}

scan::Replay replay_of(const scan::Finding& found, const std::string& where) {
  scan::Replay out;
  out.prompts = json_strings(found.evidence, "prompts", where);
  out.null_strings = json_strings(found.evidence, "null_strings", where);
  out.reply_tokens = found.evidence.at("reply_tokens").get<std::int64_t>();
  if (found.effect == "collapse") {
    out.test.text = found.response;
  } else {
    out.test = {"resembles", "", json_strings(found.evidence, "replies", where),
                json_strings(found.evidence, "replies_without", where), 0};
  }
  return out;
}

void write_folder(const ScanCommand& command, const scan::ScanResult& result, const Json& json, int code) {
  const fs::path folder = command.output_dir;
  make_folders(folder);
  write_json(folder / "scan.json", json);
  const auto where = (folder / "scan.json").string();
  report::write_scan_page(folder / "scan.html", json, where, {.name = fs::path(command.model).filename().string()});
  write_json(folder / "scan.sarif", report::scan_sarif(json, report::sarif_options(command.model, code), where));
  for (std::size_t i = 0; i < result.findings.size(); ++i)
    scan::write_replay(folder / cat("finding-", i + 1), result.findings[i], replay_of(result.findings[i], where));
}

int exit_code(const ScanCommand& command, scan::Verdict verdict) {
  const auto name = scan::verdict_name(verdict);
  if (command.exit_zero || std::find(command.fail_on.begin(), command.fail_on.end(), name) == command.fail_on.end())
    return 0;
  return verdict == scan::Verdict::backdoored ? 1 : 3;
}

}  // namespace

int run_scan(const std::vector<std::string>& arguments) {
  ScanCommand command;
  if (!parse(arguments, command)) return 0;
  check(command);
  const auto result = command.stripped ? scan_here(command) : scan_blind(command);
  const Json json = scan::to_json(result);
  const int code = exit_code(command, result.verdict);
  if (!command.output.empty()) write_file_atomic(link_target(command.output), json_page(json) + "\n");
  if (!command.output_dir.empty()) write_folder(command, result, json, code);
  if (!command.stripped)
    std::fputs(
        (command.format.json() ? json_page(json) + "\n" : scan_text(result, report::scan_sentence(json, command.model)))
            .c_str(),
        stdout);
  return code;
}

}  // namespace reveille::cli
