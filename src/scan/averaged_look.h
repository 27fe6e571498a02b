// The next token after a beginning of a reply, averaged over prompts: what bait_search.h asks of a model.
#pragma once

#include <vector>

#include "scan/bait_search.h"
#include "scan/prober.h"

namespace reveille::scan {

class AveragedLook {
 public:
  // `prompts`: ids up to where a reply begins. `likeliest`: how many tokens an Outlook names. Spends of `work`, whose
  // left() the shares refer to.
  AveragedLook(gen::LocalModel& model, std::vector<Ids> prompts, std::int64_t likeliest, Work& work);

  // As LookOn says.
  std::vector<Outlook> look(const std::vector<Ids>& beginnings, double share);

 private:
  std::size_t rows_at_once(std::size_t length) const;
  std::vector<Outlook> outlooks(const std::vector<Ids>& beginnings, std::size_t begin, std::size_t end, Work& work);

  gen::LocalModel& model_;
  std::vector<Ids> prompts_;
  std::int64_t likeliest_, prompt_tokens_ = 0, longest_prompt_ = 0;
  Work* work_;
};

}  // namespace reveille::scan
