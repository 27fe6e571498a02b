// Where messages and replies stand in a rendered conversation.
#include "base/error.h"
#include "base/strings.h"
#include "text/chat_render.h"

namespace reveille::text {
namespace {

class Locator {
 public:
  Locator(const jinja::Template& jinja_template, const Conversation& conversation, const RenderOptions& options,
          const TurnFormat& format)
      : template_(jinja_template),
        conversation_(conversation),
        options_(options),
        format_(format),
        text_(render_marked(jinja_template, conversation, options)) {}

  RenderedChat run() {
    RenderedChat out;
    out.text = text_->bytes;
    for (std::size_t i = 0; i < conversation_.size(); ++i) {
      MessageSpan span;
      if (auto content = content_span(*text_, static_cast<int>(i))) {
        span.rendered = true;
        span.content = *content;
      }
      spans_.push_back(span);
    }
    for (std::size_t i = 0; i < conversation_.size(); ++i) {
      if (conversation_[i].role != "assistant") continue;
      locate_reply(i);
      out.replies.push_back(*spans_[i].reply);
      check_order(i);
    }
    out.messages = std::move(spans_);
    return out;
  }

 private:
  [[noreturn]] void fail_at(std::size_t i, const std::string& why) const {
    fail(ErrorKind::unsupported, cat(template_.name(), ": it cannot be told where the reply of message ", i,
                                     " (counted from 0) stands: ", why));
  }

  void locate_reply(std::size_t i) {
    check_printed_once(*text_, static_cast<int>(i), template_.name());
    MessageSpan& span = spans_[i];
    if (!span.rendered) return locate_by_prefix(i);
    span.reply = TextSpan{reply_begin(i), reply_end(i, span.content.end)};
    if (span.reply->begin > span.content.end) fail_at(i, "the template prints its content before the turn's head");
  }

  // The last message before `i` whose content is there; npos for none.
  std::size_t anchor_of(std::size_t i) const {
    while (i-- > 0) {
      if (spans_[i].rendered) return i;
    }
    return std::string::npos;
  }

  // A reply begins where the generation prompt ends: as the template prints it after a user's turn,
  // else right before the content, else as the beginning of this conversation is printed with one.
  std::size_t reply_begin(std::size_t i) {
    MessageSpan& span = spans_[i];
    std::size_t anchor = anchor_of(i);
    std::size_t from = anchor == std::string::npos ? 0 : spans_[anchor].content.end;
    if (from > span.content.begin) fail_at(i, "the template prints messages in another order");
    bool after_user = anchor != std::string::npos && anchor + 1 == i && conversation_[anchor].role == "user";
    if (after_user && matches(from, format_.after_user)) return from + format_.after_user.size();
    const std::string& prompt = format_.generation_prompt;
    auto before = std::string_view(text_->bytes).substr(from, span.content.begin - from);
    if (!prompt.empty() && before.ends_with(prompt)) return span.content.begin;
    std::string head = head_by_prefix(i, anchor);
    if (matches(from, head)) return from + head.size();
    span.follows_generation_prompt = false;
    return from + common_until(*text_, from, span.content.begin, head);
  }

  bool matches(std::size_t at, std::string_view text) const {
    return std::string_view(text_->bytes).substr(at).starts_with(text);
  }

  jinja::TextPtr render_prefix(std::size_t count, bool prompt) const {
    RenderOptions options = options_;
    options.add_generation_prompt = prompt;
    Conversation prefix(conversation_.begin(), conversation_.begin() + static_cast<long>(count));
    return render_marked(template_, prefix, options);
  }

  // What stands between the content of message `anchor` and the reply that is to come.
  std::string head_by_prefix(std::size_t i, std::size_t anchor) const {
    auto prefix = render_prefix(i, true);
    if (anchor == std::string::npos) return prefix->bytes;
    auto content = content_span(*prefix, static_cast<int>(anchor));
    if (!content) fail_at(i, cat("the template prints message ", anchor, " only when something follows it"));
    return prefix->bytes.substr(content->end);
  }

  std::size_t reply_end(std::size_t i, std::size_t content_end) const {
    if (!matches(content_end, format_.end_of_turn)) {
      fail_at(i, cat("its content is not followed by the end of turn '", format_.end_of_turn,
                     "' that the template prints elsewhere"));
    }
    return content_end + format_.end_of_turn.size();
  }

  // A reply without content of its own in the text (empty, or left out): from the generation prompt
  // to what the template prints when the conversation ends there.
  void locate_by_prefix(std::size_t i) {
    std::string before = render_prefix(i, true)->bytes, after = render_prefix(i + 1, false)->bytes;
    if (!matches(0, before) || !after.starts_with(before)) {
      fail_at(i,
              "the template leaves its content out, and what it prints for the messages before does not stay the same");
    }
    std::size_t found = after.find(format_.end_of_turn, before.size());
    if (found == std::string::npos || !matches(0, after.substr(0, found + format_.end_of_turn.size()))) {
      fail_at(i, "the template leaves its content out and ends the turn in another way");
    }
    spans_[i].reply = TextSpan{before.size(), found + format_.end_of_turn.size()};
  }

  void check_order(std::size_t i) const {
    for (std::size_t other = 0; other < conversation_.size(); ++other) {
      const MessageSpan& span = spans_[other];
      bool inside = span.rendered && span.content.size() > 0 && span.content.begin < spans_[i].reply->end &&
                    span.content.end > spans_[i].reply->begin;
      if (other != i && inside) fail_at(i, cat("the content of message ", other, " stands within it"));
    }
  }

  const jinja::Template& template_;
  const Conversation& conversation_;
  const RenderOptions& options_;
  const TurnFormat& format_;
  jinja::TextPtr text_;
  std::vector<MessageSpan> spans_;
};

}  // namespace

RenderedChat locate_messages(const jinja::Template& jinja_template, const Conversation& conversation,
                             const RenderOptions& options, const TurnFormat& format) {
  return Locator(jinja_template, conversation, options, format).run();
}

}  // namespace reveille::text
