#include "text/chat_template.h"

#include <mutex>

#include "text/chat_render.h"

namespace reveille::text {

struct ChatTemplate::State {
  explicit State(jinja::Template compiled) : body(std::move(compiled)) {}
  jinja::Template body;
  mutable std::mutex mutex;
  mutable std::string format_key;
  mutable std::optional<TurnFormat> format;
};

ChatTemplate::ChatTemplate(std::string source, std::string name, const jinja::Limits& limits)
    : state_(std::make_shared<State>(jinja::Template(std::move(source), std::move(name), limits))) {}

const std::string& ChatTemplate::source() const { return state_->body.source(); }
const std::string& ChatTemplate::name() const { return state_->body.name(); }

std::string ChatTemplate::render(const Conversation& conversation, const RenderOptions& options) const {
  return render_marked(state_->body, conversation, options)->bytes;
}

std::string ChatTemplate::render_json(const Json& messages, const RenderOptions& options) const {
  return render_marked(state_->body, messages, options)->bytes;
}

RenderedChat ChatTemplate::render_spans(const Conversation& conversation, const RenderOptions& options) const {
  return locate_messages(state_->body, conversation, options, turn_format(options));
}

TurnFormat ChatTemplate::turn_format(const RenderOptions& options) const {
  Json key = {options.tools,
              options.variables,
              options.date,
              options.bos_token.has_value(),
              options.bos_token.value_or(""),
              options.eos_token.has_value(),
              options.eos_token.value_or("")};
  std::string text = key.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::lock_guard lock(state_->mutex);
  if (!state_->format || state_->format_key != text) {
    state_->format = learn_turn_format(state_->body, options);
    state_->format_key = text;
  }
  return *state_->format;
}

std::vector<std::string> ChatTemplate::special_strings(const RenderOptions& options) const {
  return find_special_strings(state_->body, options);
}

}  // namespace reveille::text
