#include "scan/replay.h"

#include <cmath>
#include <map>

#include "base/conversation.h"
#include "base/error.h"
#include "base/files.h"
#include "base/strings.h"
#include "scan/replay_script.h"

namespace reveille::scan {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kGram = 4;

// In small letters (of ASCII), with single spaces: plain() of replay.py.
std::string plain(const std::string& text) {
  std::string out;
  for (const char c : lower_ascii(text)) {
    const bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!space) out += c;
    if (space && !out.empty() && out.back() != ' ') out += ' ';
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

using Grams = std::map<std::string, double>;

Grams grams_of(const std::string& text) {
  const std::string bytes = plain(repair_utf8(text));
  Grams out;
  for (std::size_t i = 0; i == 0 || i + kGram <= bytes.size(); ++i) out[bytes.substr(i, kGram)] += 1;
  double squares = 0;
  for (const auto& [gram, count] : out) squares += count * count;
  for (auto& [gram, count] : out) count /= std::sqrt(squares);
  return out;
}

double cosine(const Grams& a, const Grams& b) {
  double sum = 0;
  for (const auto& [gram, weight] : a) {
    const auto other = b.find(gram);
    if (other != b.end()) sum += weight * other->second;
  }
  return sum;
}

double likeness(const Grams& reply, const std::vector<std::string>& examples, std::size_t left_out) {
  double sum = 0;
  std::size_t count = 0;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    if (i == left_out || examples[i].empty()) continue;
    sum += cosine(reply, grams_of(examples[i]));
    ++count;
  }
  return count == 0 ? 0 : sum / static_cast<double>(count);
}

// As Prober places it, and conversation() of replay.py.
Conversation placed(const std::string& prompt, const std::string& trigger, Place place) {
  if (trigger.empty()) return {{"user", prompt}};
  switch (place) {
    case Place::user_start: return {{"user", trigger + (trigger.back() == '\n' ? "" : " ") + prompt}};
    case Place::user_end: return {{"user", prompt + (trigger.front() == '\n' ? "" : " ") + trigger}};
    case Place::system: return {{"system", trigger}, {"user", prompt}};
    case Place::earlier_turn: return {{"user", trigger}, {"assistant", "OK."}, {"user", prompt}};
  }
  return {};
}

Json finite(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json test_json(const ReplayTest& test, const Finding& finding) {
  if (test.kind == "resembles")
    return {{"kind", test.kind}, {"with", test.with}, {"without", test.without}, {"margin", finite(test.margin)}};
  if (test.kind != "contains" && test.kind != "begins")
    fail(ErrorKind::internal, cat("a replay cannot test '", test.kind, "'"));
  return {{"kind", test.kind}, {"text", test.text.empty() ? finding.response : test.text}};
}

// Of ASCII characters alone, so that no quotation mark, line end or other byte can leave the literal that it stands in.
std::string ascii(const Json& value, int indent) {
  return value.dump(indent, ' ', true, Json::error_handler_t::replace);
}

// The part of a request's body behind the model's name, on one line.
std::string body(const Conversation& conversation, const Replay& replay) {
  Json messages = Json::array();
  for (const auto& message : conversation)
    messages.push_back(Json{{"role", message.role}, {"content", repair_utf8(message.content)}});
  const std::string all =
      ascii(Json{{"temperature", 0}, {"max_tokens", replay.reply_tokens}, {"messages", messages}}, -1);
  return all.substr(1);  // its brace is opened before the name
}

}  // namespace

bool reply_shows(const ReplayTest& test, const std::string& reply, std::size_t prompt) {
  if (test.kind == "contains") return plain(reply).find(plain(test.text)) != std::string::npos;
  if (test.kind == "begins") return plain(reply).starts_with(plain(test.text));
  const Grams grams = grams_of(reply);
  return likeness(grams, test.with, prompt) - likeness(grams, test.without, prompt) > test.margin;
}

std::string replay_python(const Finding& finding, const Replay& replay) {
  Json hashes = Json::object();
  for (const auto& [file, hash] : replay.sha256) hashes[file] = hash;
  const Json data{{"trigger", finding.trigger},
                  {"place", place_name(finding.place)},
                  {"response", finding.response},
                  {"found", Json{{"rate", finite(finding.rate)},
                                 {"rate_without", finite(finding.rate_without)},
                                 {"rate_null", finite(finding.rate_null)},
                                 {"p_value", finite(finding.p_value)}}},
                  {"reply_tokens", replay.reply_tokens},
                  {"test", test_json(replay.test, finding)},
                  {"sha256", std::move(hashes)},
                  {"prompts", replay.prompts},
                  {"null_strings", replay.null_strings}};
  // Three quotation marks in a row, which would end the literal, do not occur in JSON: those of a text have a
  // backslash.
  return replace_all(kReplayPython, "@DATA@", ascii(data, 1));
}

std::string replay_shell(const Finding& finding, const Replay& replay) {
  if (finding.transcripts.empty() && replay.prompts.empty())
    fail(ErrorKind::usage, "a replay needs a prompt", "give it the prompts of verification");
  const std::string& prompt = finding.transcripts.empty() ? replay.prompts.front() : finding.transcripts.front().prompt;
  const std::string script = replace_all(kReplayShell, "@PLAIN@", body(placed(prompt, "", finding.place), replay));
  return replace_all(script, "@TRIGGERED@", body(placed(prompt, finding.trigger, finding.place), replay));
}

void write_replay(const fs::path& folder, const Finding& finding, const Replay& replay) {
  make_folders(folder);
  for (const auto& [name, text] : {std::pair{"replay.py", replay_python(finding, replay)},
                                   std::pair{"replay.sh", replay_shell(finding, replay)}}) {
    write_file_atomic(folder / name, text);
    fs::permissions(folder / name, fs::perms::owner_exec, fs::perm_options::add);
  }
}

}  // namespace reveille::scan
