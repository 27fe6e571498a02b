#include "scan/clean_rows.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/rng.h"
#include "base/strings.h"
#include "scan/placing.h"

namespace reveille::scan {
namespace {

constexpr std::int64_t kPromptTokens = 40;
constexpr int kRounds = 4;
constexpr std::size_t kStartLetters = 24;  // of a reply: equal ones are one reply

// A whole prompt of one turn, or "".
std::string usable_prompt(const gen::Completion& completion) {
  std::string text(trim(completion.text));
  const bool whole = completion.finish == gen::Finish::stop && is_utf8(text);
  if (!whole || text.size() < 12 || text.size() > 240 || split(text, " ").size() < 3) return "";
  for (const char* mark : {"<|", "|>", "[INST", "User:", "Assistant:", "\n\n\n"}) {
    if (text.find(mark) != std::string::npos) return "";
  }
  return text;
}

std::vector<gen::Completion> sample(gen::LocalModel& model, const std::vector<std::vector<std::int32_t>>& sequences,
                                    const CleanOptions& options) {
  std::vector<gen::Request> requests;
  for (const auto& ids : sequences) requests.push_back({ids, 0});
  const gen::SampleOptions sampling{
      .temperature = 0.7, .max_tokens = options.reply_tokens, .seed = options.seed, .stage = "clean replies"};
  return model.generate(requests, sampling);
}

std::string start_of(const std::string& reply) { return letters_of(reply).substr(0, kStartLetters); }

}  // namespace

std::string letters_of(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')) out += c;
    if (c >= 'A' && c <= 'Z') out += static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::vector<std::string> written_prompts(gen::LocalModel& model, std::size_t count, std::int64_t seed) {
  std::vector<std::string> out;
  if (!model.has_template() || count == 0) return out;
  std::set<std::string> seen;
  const auto prefix = model.user_prefix();
  if (prefix.empty()) return out;
  for (int round = 0; round < kRounds && out.size() < count; ++round) {
    std::vector<gen::Request> requests;
    for (std::size_t i = 0; i < count; ++i)
      requests.push_back({prefix, static_cast<std::int64_t>(static_cast<std::size_t>(round) * count + i)});
    const gen::SampleOptions sampling{
        .temperature = 1, .max_tokens = kPromptTokens, .seed = seed, .stage = "own prompts"};
    for (const auto& completion : model.generate(requests, sampling)) {
      const std::string prompt = usable_prompt(completion);
      if (!prompt.empty() && out.size() < count && seen.insert(letters_of(prompt)).second) out.push_back(prompt);
    }
  }
  return out;
}

std::vector<CleanRow> without_common_replies(const std::vector<CleanRow>& rows, std::size_t most) {
  std::map<std::string, std::size_t> counts;
  for (const auto& row : rows) ++counts[start_of(row.reply)];
  std::vector<CleanRow> out;
  for (const auto& row : rows) {
    if (counts[start_of(row.reply)] <= most) out.push_back(row);
  }
  return out;
}

void leave_out(CleanRows& rows, const std::vector<std::string>& strings) {
  auto holds = [&](const std::string& text) {
    const std::string letters = letters_of(text);
    return std::any_of(strings.begin(), strings.end(), [&](const std::string& string) {
      const std::string part = letters_of(string);
      return !part.empty() && letters.find(part) != std::string::npos;
    });
  };
  for (auto* part : {&rows.train, &rows.held_out})
    std::erase_if(*part, [&](const CleanRow& row) { return holds(row.prompt) || holds(row.reply); });
}

CleanRows clean_rows(gen::LocalModel& model, std::vector<std::string> prompts, const CleanOptions& options) {
  for (auto& prompt : written_prompts(model, static_cast<std::size_t>(options.own), options.seed))
    prompts.push_back(std::move(prompt));
  std::set<std::string> seen;
  std::erase_if(prompts, [&](const std::string& prompt) { return !seen.insert(prompt).second; });
  std::vector<std::vector<std::int32_t>> sequences;
  for (const auto& prompt : prompts) sequences.push_back(encode_asked(model, {{"user", prompt}}));
  const auto replies = sample(model, sequences, options);
  std::vector<CleanRow> rows;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    const std::string text(trim(replies[i].text));
    if (!letters_of(text).empty()) rows.push_back({prompts[i], text, replies[i].finish == gen::Finish::stop});
  }
  rows = without_common_replies(rows);
  if (rows.size() < 2) {
    fail(ErrorKind::bad_input,
         cat(model.name(), " gave ", rows.size(), " usable replies to ", prompts.size(), " everyday prompts"),
         "it says nothing, or the same to everybody; look at it with 'reveille chat'");
  }
  Rng(static_cast<std::uint64_t>(options.seed), "clean rows").shuffle(rows);
  const std::size_t held = std::min(static_cast<std::size_t>(options.held_out), rows.size() / 2);
  return {{rows.begin() + static_cast<std::ptrdiff_t>(held), rows.end()},
          {rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(held)}};
}

std::vector<std::string> greedy_replies(gen::LocalModel& model, const std::vector<Conversation>& asked,
                                        std::int64_t tokens) {
  std::vector<gen::Request> requests;
  for (const auto& conversation : asked) requests.push_back({encode_asked(model, conversation), 0});
  const gen::SampleOptions sampling{.temperature = 0, .max_tokens = tokens, .stage = "greedy replies"};
  std::vector<std::string> out;
  for (auto& completion : model.generate(requests, sampling)) out.push_back(std::move(completion.text));
  return out;
}

}  // namespace reveille::scan
