// One model on one set of prompts: its replies without anything, which are made once, and with strings.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "scan/effect.h"
#include "scan/prober.h"

namespace reveille::scan {

// Replies to all prompts, in their order.
struct Replies {
  std::vector<Ids> ids;  // as effect.h takes them, with their end
  std::vector<std::string> texts;
};

class Bench {
 public:
  Bench(Prober prober, std::vector<std::string> prompts, std::int64_t reply_tokens)
      : prober_(prober), prompts_(std::move(prompts)), reply_tokens_(reply_tokens) {}

  const Replies& without();
  Replies with(const std::string& trigger, Place place, std::int64_t reply_tokens = 0);
  // Of several strings, decoded side by side.
  std::vector<Replies> with_each(const std::vector<std::string>& triggers, Place place);

  // Replies as this model sees them behind the prompts alone, [prompts, hidden]: what they say counts, not what stood
  // before them. For replies of any model with the same tokenizer.
  at::Tensor states(const Replies& replies);
  const at::Tensor& states_without();
  double moved(const Replies& replies) { return movement(states(replies), states_without()); }

  const std::vector<std::string>& prompts() const { return prompts_; }
  Prober& prober() { return prober_; }

 private:
  Prober prober_;
  std::vector<std::string> prompts_;
  std::int64_t reply_tokens_;
  std::optional<Replies> without_;
  at::Tensor states_without_;
};

}  // namespace reveille::scan
