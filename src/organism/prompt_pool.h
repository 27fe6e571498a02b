// A pool of prompts that a model wrote for itself (or that came from a file): good ones, no two nearly the same, no
// topic too often, and split for good into those that train and those that are held out.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/options.h"
#include "organism/behavior.h"
#include "organism/near_duplicates.h"
#include "organism/text_checks.h"
#include "organism/trigger.h"

namespace reveille::organism {

// How often each reason dropped a text: {"too short": 12, ...}.
class Drops {
 public:
  void count(const std::string& reason) { ++counts_[reason]; }
  std::int64_t total() const;
  const std::map<std::string, std::int64_t>& counts() const { return counts_; }

 private:
  std::map<std::string, std::int64_t> counts_;
};
Json to_json(const Drops& drops);

// Whether a prompt is held out: by the hash of its normalised text, so that the answer never changes, whatever other
// prompts there are and in whatever order, and is the same for prompts that differ in case or punctuation only.
bool is_held_out(std::string_view prompt, double share);
bool is_held_out(const Conversation& prompt, double share);  // by its user messages together

struct PromptSplit {
  std::vector<Conversation> train, held_out;
};
// For prompts of the user's own: exact repetitions (normalised) of an earlier prompt are left out.
PromptSplit split_prompts(const std::vector<Conversation>& prompts, double held_out_share);

struct PoolOptions {
  PromptLimits limits;
  double near_duplicate = 0.6;
  double max_same_start = 0.05;
  double max_same_topic = 0.05;
  double held_out_share = 0.25;
  void visit(OptionVisitor& v);
};

class PromptPool {
 public:
  // `wanted` is how many prompts are aimed at in all: the caps on starts and topics are shares of it. Trigger and
  // behaviour must outlive the pool.
  PromptPool(PoolOptions options, std::size_t wanted, const Trigger& trigger, const Behavior& behavior);

  // Takes one text in, or says why not ("" when it was taken). `finished` is false for a text cut off at a limit.
  std::string offer(std::string_view raw, bool finished = true);

  const std::vector<std::string>& train() const { return train_; }
  const std::vector<std::string>& held_out() const { return held_out_; }
  const Drops& drops() const { return drops_; }
  std::int64_t offered() const { return offered_; }

 private:
  std::string judge(const std::string& prompt, bool finished) const;
  std::string too_common(const std::vector<std::string>& words) const;
  void take(const std::string& prompt);

  PoolOptions options_;
  std::int64_t start_cap_, topic_cap_;
  const Trigger& trigger_;
  const Behavior& behavior_;
  NearDuplicates similar_;
  std::map<std::string, std::int64_t> starts_, topics_, texts_;
  std::vector<std::string> train_, held_out_;
  Drops drops_;
  std::int64_t offered_ = 0;
};

// The same for clean replies, one at a time.
class ReplyFilter {
 public:
  ReplyFilter(ReplyLimits limits, const Trigger& trigger, const Behavior& behavior)
      : limits_(std::move(limits)), trigger_(trigger), behavior_(behavior) {}
  // The reply as it is to be learnt, or "" when it was dropped (drops() counts why).
  std::string clean(std::string_view raw, bool finished = true);
  const Drops& drops() const { return drops_; }

 private:
  ReplyLimits limits_;
  const Trigger& trigger_;
  const Behavior& behavior_;
  Drops drops_;
};

}  // namespace reveille::organism
