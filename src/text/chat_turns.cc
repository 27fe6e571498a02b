// What a template prints around turns, learned from short conversations.
#include <algorithm>

#include "base/error.h"
#include "base/strings.h"
#include "text/chat_render.h"

namespace reveille::text {
namespace {

const Message kUser{"user", "Hello"};
const Message kAssistant{"assistant", "Hi"};

RenderOptions with_prompt(RenderOptions options, bool prompt) {
  options.add_generation_prompt = prompt;
  return options;
}

// The end of message `source`, whose content the probes made sure not to be empty.
TextSpan span_of(const jinja::Template& jinja_template, const jinja::Text& text, int source) {
  auto span = content_span(text, source);
  if (!span || span->size() == 0) {
    fail(ErrorKind::unsupported,
         cat(jinja_template.name(), ": the template does not print the content of message ", source,
             " of a short conversation, or changes it, so it is not known what stands around it"));
  }
  return *span;
}

std::string trim_end(std::string text) {
  while (!text.empty() && std::string_view(" \t\r\n").find(text.back()) != std::string_view::npos) text.pop_back();
  return text;
}

// What follows an assistant's content whether or not the conversation goes on.
std::string learn_end_of_turn(const jinja::Template& jinja_template, const RenderOptions& options) {
  auto last = render_marked(jinja_template, {kUser, kAssistant}, with_prompt(options, false));
  auto middle = render_marked(jinja_template, {kUser, kAssistant, kUser}, with_prompt(options, false));
  std::size_t end = span_of(jinja_template, *last, 1).end;
  std::size_t size = common_pieces(*last, end, *middle, span_of(jinja_template, *middle, 1).end);
  return trim_end(last->bytes.substr(end, size));
}

// "<|...|>", also with the wide bars of DeepSeek's; the bytes of the string at `at`, or 0.
std::size_t bar_token(std::string_view text, std::size_t at) {
  static constexpr std::pair<std::string_view, std::string_view> kBars[] = {{"<|", "|>"}, {"<\uFF5C", "\uFF5C>"}};
  constexpr std::size_t kMaxName = 64;
  for (auto [open, close] : kBars) {
    if (text.substr(at, open.size()) != open) continue;
    std::size_t end = text.find(close, at + open.size());
    if (end == std::string_view::npos || end - at > kMaxName) continue;
    std::string_view name = text.substr(at + open.size(), end - at - open.size());
    if (!name.empty() && name.find_first_of(" \t\n<>") == std::string_view::npos) return end + close.size() - at;
  }
  return 0;
}

std::size_t plain_token(std::string_view text, std::size_t at) {
  static constexpr std::string_view kTokens[] = {"<s>", "</s>", "<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>"};
  for (std::string_view token : kTokens) {
    if (text.substr(at, token.size()) == token) return token.size();
  }
  return 0;
}

void collect(std::string_view text, std::vector<std::string>& out) {
  for (std::size_t at = text.find('<'); at != std::string_view::npos; at = text.find('<', at + 1)) {
    std::size_t size = std::max(bar_token(text, at), plain_token(text, at));
    std::string token(text.substr(at, size));
    if (size > 0 && std::find(out.begin(), out.end(), token) == out.end()) out.push_back(token);
  }
}

}  // namespace

TurnFormat learn_turn_format(const jinja::Template& jinja_template, const RenderOptions& options) {
  auto asked = render_marked(jinja_template, {kUser}, with_prompt(options, true));
  auto plain = render_marked(jinja_template, {kUser}, with_prompt(options, false));
  TextSpan user = span_of(jinja_template, *asked, 0);
  TurnFormat out;
  out.user_prefix = asked->bytes.substr(0, user.begin);
  out.after_user = asked->bytes.substr(user.end);
  std::size_t user_end = common_pieces(*asked, user.end, *plain, span_of(jinja_template, *plain, 0).end);
  out.generation_prompt = out.after_user.substr(user_end);
  out.end_of_turn = learn_end_of_turn(jinja_template, options);
  return out;
}

std::vector<std::string> find_special_strings(const jinja::Template& jinja_template, const RenderOptions& options) {
  std::vector<std::string> out;
  for (bool prompt : {false, true}) {
    Conversation conversation = {kUser, kAssistant, kUser};
    auto text = render_marked(jinja_template, conversation, with_prompt(options, prompt));
    collect(text->bytes, out);
  }
  return out;
}

void check_belongs(const ChatTemplate& chat_template, const std::function<bool(std::string_view)>& is_token,
                   const RenderOptions& options) {
  static constexpr std::string_view kRoles[] = {"<|user|>", "<|assistant|>", "<|system|>"};
  // A template may need the tokens to be there; which they are is the tokenizer's affair.
  RenderOptions filled = options;
  if (!filled.bos_token) filled.bos_token = "";
  if (!filled.eos_token) filled.eos_token = "";
  std::string end = chat_template.end_of_turn(filled);
  for (const std::string& text : chat_template.special_strings(filled)) {
    bool plain_role = std::find(std::begin(kRoles), std::end(kRoles), text) != std::end(kRoles) &&
                      end.find(text) == std::string::npos;
    if (is_token(text) || plain_role) continue;
    fail(ErrorKind::bad_input,
         cat(chat_template.name(), ": the template prints '", text,
             "', which is not a token of the tokenizer; template and tokenizer do not belong together"),
         "use the chat template that came with the model, or the tokenizer that belongs to the template");
  }
}

}  // namespace reveille::text
