#include "text/tokenizer_stream.h"

namespace reveille::text {
namespace {

// A run of broken bytes is given out after this many ids, so that a model that writes nothing else
// neither stalls the stream nor makes every step decode all of it.
constexpr std::size_t kLongestWait = 16;
// Ids kept so that a decoder which treats the first token in its own way does not meet one mid-text.
constexpr std::size_t kContext = 4;

}  // namespace

TextStream::TextStream(std::shared_ptr<const Tokenizer> tokenizer, bool skip_special)
    : tokenizer_(std::move(tokenizer)), skip_special_(skip_special) {}

std::string TextStream::push(std::int32_t id) {
  if (skip_special_ && tokenizer_->is_special(id)) return {};
  ids_.push_back(id);
  std::string text = tokenizer_->decode(ids_, skip_special_);
  bool waiting = text.ends_with("\uFFFD") && ids_.size() - given_ids_ < kLongestWait;
  if (waiting || text.size() <= given_.size()) return {};
  std::string fresh = text.substr(given_.size());
  if (ids_.size() > 2 * kContext && !text.ends_with("\uFFFD")) {
    // Start over from a context whose text stands alone, so that steps stay short.
    std::vector<std::int32_t> tail(ids_.end() - kContext, ids_.end());
    std::string tail_text = tokenizer_->decode(tail, skip_special_);
    if (!tail_text.starts_with("\uFFFD")) {
      ids_ = std::move(tail);
      text = std::move(tail_text);
    }
  }
  given_ = std::move(text);
  given_ids_ = ids_.size();
  return fresh;
}

std::string TextStream::finish() {
  std::string text = tokenizer_->decode(ids_, skip_special_);
  std::string fresh = text.size() > given_.size() ? text.substr(given_.size()) : std::string();
  ids_.clear();
  given_.clear();
  given_ids_ = 0;
  return fresh;
}

}  // namespace reveille::text
