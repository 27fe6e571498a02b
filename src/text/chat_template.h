// Chat templates: from a conversation to the text that a model was trained on, and back to which
// bytes of that text are whose.
//
// One renderer serves training, evaluation and serving. The templates are Jinja, as models publish
// them; text/jinja/template.h says what is supported. Where contents and replies stand is followed
// through the template's own string operations, never searched for in the result.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/conversation.h"
#include "base/json.h"
#include "text/jinja/limits.h"

namespace reveille::text {

// The day that strftime_now shows when nothing else is set; Llama 3's templates fall back to it.
inline constexpr const char* kDefaultDate = "2024-07-26";

struct RenderOptions {
  bool add_generation_prompt = false;
  Json tools = nullptr;             // a list of JSON schemas, or null
  Json variables = Json::object();  // more variables for the template, such as enable_thinking
  std::string date = kDefaultDate;  // YYYY-MM-DD or YYYY-MM-DD HH:MM:SS
  // The tokenizer's; without one the template sees it as undefined.
  std::optional<std::string> bos_token, eos_token;
};

// Bytes [begin, end) of a rendered text.
struct TextSpan {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t size() const { return end - begin; }
  bool operator==(const TextSpan&) const = default;
};

// Where one message stands in the rendered text.
struct MessageSpan {
  bool rendered = false;  // some templates leave messages out, such as an empty system prompt
  TextSpan content;       // its content as the template prints it (stripped, say)
  // Of an assistant's message, what the model shall learn to say: from where the generation prompt
  // ends to the end of the end-of-turn text (without the line end that may follow it).
  std::optional<TextSpan> reply;
  // False where the template's generation prompt is not what it prints before this reply (it may
  // open a thinking block that the reply lacks); the reply then begins where they part.
  bool follows_generation_prompt = true;
};

struct RenderedChat {
  std::string text;
  std::vector<MessageSpan> messages;  // one a message
  std::vector<TextSpan> replies;      // of the assistant's messages, in order
};

// What a template prints around a turn.
struct TurnFormat {
  std::string user_prefix;        // up to a first user's content: where a model can go on as the user
  std::string after_user;         // from the end of a user's content to the end of the generation prompt
  std::string generation_prompt;  // opens the assistant's turn (may be empty, as for Mistral)
  std::string end_of_turn;        // after the assistant's content, without white space at its end
};

class ChatTemplate {
 public:
  // Parses; `name` (file, or file and key) stands in the Errors.
  ChatTemplate(std::string source, std::string name, const jinja::Limits& limits = {});
  // One of ours, by name; an Error(usage) lists the names.
  static ChatTemplate built_in(const std::string& name);
  static std::vector<std::string> built_in_names();

  const std::string& source() const;
  const std::string& name() const;

  std::string render(const Conversation& conversation, const RenderOptions& options = {}) const;
  // Messages as JSON (list of objects with role, content and what else the template reads, such as
  // tool_calls; content may be a list of parts).
  std::string render_json(const Json& messages, const RenderOptions& options = {}) const;
  // With the places of all messages; an Error where they cannot be told.
  RenderedChat render_spans(const Conversation& conversation, const RenderOptions& options = {}) const;

  // Learned from short conversations that the template renders; kept for the options last used.
  TurnFormat turn_format(const RenderOptions& options = {}) const;
  std::string user_prefix(const RenderOptions& options = {}) const { return turn_format(options).user_prefix; }
  std::string generation_prompt(const RenderOptions& options = {}) const {
    return turn_format(options).generation_prompt;
  }
  std::string end_of_turn(const RenderOptions& options = {}) const { return turn_format(options).end_of_turn; }

  // Strings that look like special tokens (<|im_start|>, <end_of_turn>) in what the template itself
  // prints around messages, each once.
  std::vector<std::string> special_strings(const RenderOptions& options = {}) const;

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

// An Error(bad_input) when the template prints special tokens that the tokenizer does not have:
// template and model do not belong together. <|user|>, <|assistant|> and <|system|> may be plain
// text, as in Zephyr's, as long as the turn's end is a token.
void check_belongs(const ChatTemplate& chat_template, const std::function<bool(std::string_view)>& is_token,
                   const RenderOptions& options = {});

}  // namespace reveille::text
