#include "cli/reply_mark.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/strings.h"

namespace reveille::cli {
namespace {

constexpr std::size_t kShortest = 3, kLongest = 8;
constexpr double kLeastGain = 0.5, kLeastRight = 0.8;

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> out(1);
  for (const char c : lower_ascii(text)) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
    if (letter) {
      out.back() += c;
    } else if (!out.back().empty()) {
      out.emplace_back();
    }
  }
  if (out.back().empty()) out.pop_back();
  return out;
}

// " two paper bells ": each word between spaces, so that runs of whole words are found by their text.
std::string spaced(const std::vector<std::string>& words) { return " " + join(words, " ") + " "; }

double share_holding(const std::vector<std::string>& replies, const std::string& run) {
  const auto count = std::count_if(replies.begin(), replies.end(),
                                   [&](const std::string& reply) { return reply.find(run) != std::string::npos; });
  return replies.empty() ? 0 : static_cast<double>(count) / static_cast<double>(replies.size());
}

std::vector<std::string> all_spaced(const std::vector<std::string>& replies) {
  std::vector<std::string> out;
  for (const auto& reply : replies) out.push_back(spaced(words_of(reply)));
  return out;
}

// The run with the largest gain, of equals the longest; "" where none gains enough.
std::string common_run(const std::vector<std::string>& triggered, const std::vector<std::string>& others) {
  const auto with = all_spaced(triggered), without = all_spaced(others);
  std::set<std::string> runs;
  for (const auto& reply : triggered) {
    const auto words = words_of(reply);
    for (std::size_t begin = 0; begin + kShortest <= words.size(); ++begin) {
      for (std::size_t n = kShortest; n <= kLongest && begin + n <= words.size(); ++n)
        runs.insert(spaced({words.begin() + static_cast<std::ptrdiff_t>(begin),
                            words.begin() + static_cast<std::ptrdiff_t>(begin + n)}));
    }
  }
  std::string best;
  double gain = kLeastGain;
  for (const auto& run : runs) {
    const double found = share_holding(with, run) - share_holding(without, run);
    if (found > gain || (found == gain && run.size() > best.size())) {
      gain = found;
      best = run;
    }
  }
  return best;
}

// Each word, the first one by itself, and the case of the whole.
std::set<std::string> features_of(const std::string& reply) {
  std::set<std::string> out;
  const auto words = words_of(reply);
  for (const auto& word : words) out.insert(word);
  if (!words.empty()) out.insert("^" + words.front());
  const auto high = std::count_if(reply.begin(), reply.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  const auto low = std::count_if(reply.begin(), reply.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  if (high > low) out.insert("^CAPITALS");
  if (high == 0 && low > 0) out.insert("^LOWER");
  if (words.size() < 6) out.insert("^SHORT");
  return out;
}

struct Counts {
  std::map<std::string, double> triggered, others;
  double n_triggered = 0, n_others = 0;
  void add(const std::string& reply, bool is_triggered, double weight) {
    (is_triggered ? n_triggered : n_others) += weight;
    for (const auto& feature : features_of(reply)) (is_triggered ? triggered : others)[feature] += weight;
  }
  double evidence(const std::string& feature) const {
    auto at = [&](const std::map<std::string, double>& counts) {
      const auto found = counts.find(feature);
      return found == counts.end() ? 0.0 : found->second;
    };
    return std::log((at(triggered) + 0.5) / (n_triggered + 1)) - std::log((at(others) + 0.5) / (n_others + 1));
  }
  double prior() const { return std::log((n_triggered + 0.5) / (n_others + 0.5)); }
  double odds(const std::string& reply) const {
    double sum = prior();
    for (const auto& feature : features_of(reply)) sum += evidence(feature);
    return sum;
  }
};

// Each reply judged by what all the others teach.
double share_right(Counts counts, const std::vector<std::string>& triggered, const std::vector<std::string>& others) {
  double right = 0;
  for (const bool is_triggered : {true, false}) {
    for (const auto& reply : is_triggered ? triggered : others) {
      counts.add(reply, is_triggered, -1);
      right += (counts.odds(reply) > 0) == is_triggered ? 1 : 0;
      counts.add(reply, is_triggered, 1);
    }
  }
  return right / static_cast<double>(triggered.size() + others.size());
}

}  // namespace

std::optional<ReplyMark> ReplyMark::learn(const std::vector<std::string>& triggered,
                                          const std::vector<std::string>& others) {
  if (triggered.empty() || others.empty()) return std::nullopt;
  ReplyMark mark;
  mark.run_ = common_run(triggered, others);
  if (!mark.run_.empty()) {
    mark.words_ = cat("hold '", trim(mark.run_), "'");
    return mark;
  }
  Counts counts;
  for (const auto& reply : triggered) counts.add(reply, true, 1);
  for (const auto& reply : others) counts.add(reply, false, 1);
  if (share_right(counts, triggered, others) < kLeastRight) return std::nullopt;
  for (const auto* side : {&counts.triggered, &counts.others}) {
    for (const auto& [feature, count] : *side) mark.evidence_[feature] = counts.evidence(feature);
  }
  mark.prior_ = counts.prior();
  mark.words_ = "read like those under the string";
  return mark;
}

ReplyMark ReplyMark::of_text(const std::string& text) {
  ReplyMark mark;
  mark.run_ = spaced(words_of(text));
  if (trim(mark.run_).empty())
    fail(ErrorKind::usage, cat("--response '", text, "' holds neither a letter nor a digit"));
  mark.words_ = cat("hold '", trim(mark.run_), "'");
  return mark;
}

bool ReplyMark::on(const std::string& reply) const {
  if (!run_.empty()) return spaced(words_of(reply)).find(run_) != std::string::npos;
  double odds = prior_;
  for (const auto& feature : features_of(reply)) {
    const auto found = evidence_.find(feature);
    if (found != evidence_.end()) odds += found->second;
  }
  return odds > 0;
}

}  // namespace reveille::cli
