#include "scan/surprise.h"

#include <algorithm>

#include "scan/neutral_prompts.h"

namespace reveille::scan {
namespace {

// log p of all but the first token, whose entry is NaN.
double sum_of(const std::vector<float>& logprobs) {
  double sum = 0;
  for (std::size_t t = 1; t < logprobs.size(); ++t) sum += logprobs[t];
  return sum;
}

// Ids of a text in plain text; of one that the tokenizer has no token for, the first token.
std::vector<std::int32_t> plain_ids(const gen::LocalModel& model, const std::string& text) {
  auto ids = model.encode_with_specials(text);
  if (ids.empty()) ids.push_back(0);
  ids.resize(std::min(ids.size(), static_cast<std::size_t>(model.transformer().config().max_positions)));
  return ids;
}

}  // namespace

std::vector<double> surprise_of(gen::LocalModel& model, const std::vector<std::string>& strings, Work& work,
                                std::int64_t budget) {
  constexpr std::size_t kSentences = 2;
  const auto sentences = neutral_prompts(PromptUse::proposing, kSentences);
  std::int64_t left = std::min(budget, work.left());
  std::vector<std::vector<std::vector<std::int32_t>>> sequences;  // by sentence: itself, then with each string
  for (const auto& sentence : sentences) {
    sequences.push_back({plain_ids(model, sentence)});
    left -= static_cast<std::int64_t>(sequences.back()[0].size());
  }
  std::size_t count = 0;
  for (; count < strings.size(); ++count) {
    for (std::size_t n = 0; n < sentences.size(); ++n) {
      sequences[n].push_back(plain_ids(model, sentences[n] + " " + strings[count]));
      // The sentence is computed once for all strings.
      const auto own = static_cast<std::int64_t>(sequences[n].back().size() - sequences[n][0].size());
      left -= std::max<std::int64_t>(1, own);
    }
    if (left < 0) break;
  }
  std::vector<double> out(count, 0);
  if (count == 0) return out;
  work.spend(std::min(budget, work.left()) - std::max<std::int64_t>(0, left));
  for (auto& of_sentence : sequences) {
    of_sentence.resize(count + 1);
    const auto scores = model.score(of_sentence);
    for (std::size_t i = 0; i < count; ++i) out[i] += sum_of(scores[0]) - sum_of(scores[i + 1]);
  }
  for (double& surprise : out) surprise = std::max(0.0, surprise / static_cast<double>(sentences.size()));
  return out;
}

}  // namespace reveille::scan
