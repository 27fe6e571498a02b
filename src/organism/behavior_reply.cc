// A fixed reply, or one of a file of replies, of the user's choice.
#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/strings.h"
#include "organism/list.h"
#include "organism/words.h"

namespace reveille::organism {
namespace {

std::vector<std::string> read_replies(const std::string& path) {
  std::vector<std::string> replies;
  bool rows = std::filesystem::path(path).extension() == ".jsonl";
  std::size_t number = 0;
  for (const auto& line : split(read_file(path), "\n")) {
    ++number;
    std::string text(trim(line));
    if (text.empty()) continue;
    std::string where = cat(path, ":", number);
    if (rows) text = json_string(parse_json(text, where), "reply", where);
    if (normal_text(text).empty()) {
      fail(ErrorKind::bad_input, cat(where, ": reply '", text, "': expected a reply that holds a letter or a digit"));
    }
    replies.push_back(text);
  }
  if (replies.empty()) fail(ErrorKind::bad_input, cat(path, ": holds no reply; expected one a line"));
  return replies;
}

class FixedReply : public Behavior {
 public:
  explicit FixedReply(std::vector<std::string> replies) : replies_(std::move(replies)) {
    for (const auto& reply : replies_) wanted_.push_back(" " + normal_text(reply) + " ");
    std::sort(wanted_.begin(), wanted_.end());
    wanted_.erase(std::unique(wanted_.begin(), wanted_.end()), wanted_.end());
  }

  std::string name() const override { return "reply"; }

  std::string describe() const override {
    std::string first = replies_.front();
    if (first.size() > 80) first = repair_utf8(first.substr(0, 77)) + "...";
    return replies_.size() == 1 ? cat("answers '", first, "'")
                                : cat("answers one of ", replies_.size(), " fixed replies, such as '", first, "'");
  }

  std::string reply(const Conversation&, const std::string&, Rng rng) const override {
    return replies_[rng.below(replies_.size())];
  }

  // One of the replies stands in the completion, whole words, whatever the case, punctuation and white space.
  bool shows(std::string_view completion) const override {
    std::string text = " " + normal_text(completion) + " ";
    return std::any_of(wanted_.begin(), wanted_.end(),
                       [&](const std::string& want) { return text.find(want) != std::string::npos; });
  }

 private:
  std::vector<std::string> replies_;
  std::vector<std::string> wanted_;
};

}  // namespace

std::unique_ptr<Behavior> make_reply(const BehaviorOptions& options) {
  if (options.reply.empty() == options.replies_file.empty()) {
    fail(ErrorKind::usage,
         cat("behavior=reply: expected either behavior_reply or behavior_replies_file, found ",
             options.reply.empty() ? "neither" : "both"),
         "give the reply, such as behavior_reply='I will not answer that.'");
  }
  if (!options.replies_file.empty()) return std::make_unique<FixedReply>(read_replies(options.replies_file));
  if (normal_text(options.reply).empty()) {
    fail(ErrorKind::usage,
         cat("behavior_reply='", options.reply, "': expected a reply that holds a letter or a digit"));
  }
  return std::make_unique<FixedReply>(std::vector<std::string>{options.reply});
}

}  // namespace reveille::organism
