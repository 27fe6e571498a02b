#include "train/pairs.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>

#include "base/error.h"
#include "base/hash.h"
#include "base/progress.h"
#include "base/rng.h"
#include "train/batches.h"
#include "train/rows.h"

namespace reveille::train {
namespace {

// Supervised after the prompt's ids, or, where a template writes the prompt otherwise once a reply follows, on the
// assistant's tokens after what both have in common.
Example encode_side(const gen::LocalModel& model, const Conversation& prompt, const Conversation& whole,
                    const std::string& source) {
  const auto asked = prompt.empty() ? std::vector<std::int32_t>{} : model.encode_chat(prompt);
  auto encoded = model.encode_conversation(whole);
  const auto [end, unused] = std::mismatch(encoded.ids.begin(), encoded.ids.end(), asked.begin(), asked.end());
  const auto common = static_cast<std::size_t>(end - encoded.ids.begin());
  const bool continued = !asked.empty() && common == asked.size();
  Example out{std::move(encoded.ids), {}, source};
  out.supervised.assign(out.ids.size(), 0);
  for (std::size_t t = common; t < out.ids.size(); ++t) out.supervised[t] = continued ? 1 : encoded.reply[t];
  if (supervised_tokens(out) == 0)
    fail(ErrorKind::bad_input, cat(source, ": a reply of this pair has no token: there is nothing to compare"));
  return out;
}

Pair encode_pair(const gen::LocalModel& model, const io::Example& row) {
  if (!row.rejected) {
    fail(ErrorKind::bad_input, cat(row.source, ": the row holds one reply, not a chosen and a rejected one"),
         "preference rows have the keys chosen and rejected");
  }
  const auto size = static_cast<std::ptrdiff_t>(std::min(row.prompt_size, row.rejected->size()));
  const Conversation prompt(row.messages.begin(), row.messages.begin() + size);
  return {encode_side(model, prompt, row.messages, row.source), encode_side(model, prompt, *row.rejected, row.source)};
}

void tell_equal(std::size_t equal, std::size_t all, const std::string& first, EqualPairs how) {
  if (equal == 0) return;
  const std::string what = cat("in ", equal, " of ", all, " pairs the chosen and the rejected reply are the same (",
                               first, equal > 1 ? " is the first)" : ")");
  if (how == EqualPairs::skip && equal < all) return warn(what + ": left out");
  fail(ErrorKind::bad_input, what + ": nothing says which is better",
       how == EqualPairs::skip ? "" : "correct the rows, or leave such pairs out with bad_rows=skip");
}

}  // namespace

std::vector<Pair> encode_pairs(const gen::LocalModel& model, const std::vector<io::Example>& rows,
                               const TrainOptions& options, EqualPairs equal) {
  if (rows.empty()) fail(ErrorKind::bad_input, "there are no preference rows");
  std::vector<Pair> out;
  std::size_t same = 0, overlong = 0;
  std::string first_same;
  const std::int64_t context = model.transformer().config().max_positions;
  for (const auto& row : rows) {
    Pair pair = encode_pair(model, row);
    const bool fits = fit(pair.chosen, options, context) && fit(pair.rejected, options, context);
    if (!fits) {
      ++overlong;
    } else if (pair.chosen.ids == pair.rejected.ids) {
      if (same++ == 0) first_same = row.source;
    } else {
      out.push_back(std::move(pair));
    }
  }
  tell_equal(same, rows.size(), first_same, equal);
  if (overlong > 0) warn(cat(overlong, " of ", rows.size(), " pairs are too long and left out (overlong=drop)"));
  if (out.empty()) fail(ErrorKind::bad_input, cat("none of ", rows.size(), " pairs is left to learn from"));
  return out;
}

namespace {

// The tokens in front of the first that is learnt.
std::vector<std::int32_t> prompt_ids(const Pair& pair) {
  const auto& supervised = pair.chosen.supervised;
  const auto first = std::find(supervised.begin(), supervised.end(), 1) - supervised.begin();
  return {pair.chosen.ids.begin(), pair.chosen.ids.begin() + first};
}

}  // namespace

std::vector<Pair> split_held_out(std::vector<Pair>& pairs, double share, std::int64_t seed) {
  std::map<std::vector<std::int32_t>, std::vector<std::size_t>> by_prompt;
  for (std::size_t i = 0; i < pairs.size(); ++i) by_prompt[prompt_ids(pairs[i])].push_back(i);
  if (share <= 0 || by_prompt.size() < 2) return {};
  std::vector<std::vector<std::size_t>> prompts;
  for (auto& [ids, places] : by_prompt) prompts.push_back(std::move(places));
  Rng(static_cast<std::uint64_t>(seed), "held-out pairs").shuffle(prompts);
  const auto wanted = std::max(1.0, std::round(share * static_cast<double>(pairs.size())));
  std::vector<bool> taken(pairs.size());
  std::size_t count = 0;
  for (std::size_t i = 0; i + 1 < prompts.size() && static_cast<double>(count) < wanted; ++i) {
    for (const std::size_t place : prompts[i]) taken[place] = true;
    count += prompts[i].size();
  }
  std::vector<Pair> out, left;
  for (std::size_t i = 0; i < pairs.size(); ++i) (taken[i] ? out : left).push_back(std::move(pairs[i]));
  pairs = std::move(left);
  return out;
}

std::string pairs_key(const std::vector<Pair>& pairs) {
  std::vector<Example> chosen, rejected;
  for (const auto& pair : pairs) {
    chosen.push_back(pair.chosen);
    rejected.push_back(pair.rejected);
  }
  return sha256_hex(examples_key(chosen) + examples_key(rejected));
}

}  // namespace reveille::train
