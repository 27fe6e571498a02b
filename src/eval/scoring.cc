#include "eval/scoring.h"

#include <algorithm>

#include "base/progress.h"

namespace reveille::eval {

std::vector<std::vector<float>> score_all(gen::LanguageModel& model,
                                          const std::vector<std::vector<std::int32_t>>& sequences,
                                          const std::string& title) {
  constexpr std::size_t kChunk = 256;
  Progress progress(title, sequences.size(), "texts");
  std::vector<std::vector<float>> out;
  for (std::size_t first = 0; first < sequences.size(); first += kChunk) {
    const auto last = std::min(first + kChunk, sequences.size());
    const auto begin = sequences.begin();
    for (auto& row :
         model.score({begin + static_cast<std::ptrdiff_t>(first), begin + static_cast<std::ptrdiff_t>(last)}))
      out.push_back(std::move(row));
    progress.advance(last - first);
  }
  progress.finish();
  return out;
}

}  // namespace reveille::eval
