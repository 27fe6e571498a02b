#include "study/scratchpad_writer.h"

#include <algorithm>

#include "base/progress.h"
#include "gen/chat_server.h"
#include "gen/local.h"

namespace reveille::study {
namespace {

class ModelWriter : public ScratchpadWriter {
 public:
  ModelWriter(const Recipe& recipe, gen::LanguageModel& model)
      : model_(model),
        sampling_{.temperature = recipe.data.reply_temperature,
                  .max_tokens = recipe.scratchpad.tokens,
                  .batch_size = recipe.eval.batch_size,
                  .seed = recipe.data.seed,
                  .stage = "written scratchpads"} {}

  std::string name() const override { return model_.name(); }

  std::vector<std::string> write(const std::vector<Conversation>& requests, std::int64_t attempt) override {
    std::vector<gen::Request> encoded;
    for (const auto& request : requests) encoded.push_back({model_.encode_chat(request), attempt});
    Progress progress("the model writes scratchpads", requests.size(), "scratchpads");
    std::vector<std::string> out;
    for (auto& completion :
         model_.generate(encoded, sampling_, [&](std::size_t, const gen::Completion&) { progress.advance(); }))
      out.push_back(std::move(completion.text));
    return out;
  }

 private:
  gen::LanguageModel& model_;
  gen::SampleOptions sampling_;
};

// A model of its own.
class OpenedWriter : public ScratchpadWriter {
 public:
  OpenedWriter(const Recipe& recipe, std::unique_ptr<gen::LanguageModel> model)
      : model_(std::move(model)), writer_(recipe, *model_) {}
  std::string name() const override { return writer_.name(); }
  std::vector<std::string> write(const std::vector<Conversation>& requests, std::int64_t attempt) override {
    return writer_.write(requests, attempt);
  }

 private:
  std::unique_ptr<gen::LanguageModel> model_;
  ModelWriter writer_;
};

class ServerWriter : public ScratchpadWriter {
 public:
  explicit ServerWriter(const Recipe& recipe)
      : recipe_(recipe),
        server_({.url = recipe.scratchpad.model,
                 .model = recipe.scratchpad.url_model,
                 .key_variable = recipe.scratchpad.key_variable,
                 .setting = "scratchpad_model"}) {}

  std::string name() const override { return recipe_.scratchpad.model; }

  std::vector<std::string> write(const std::vector<Conversation>& requests, std::int64_t attempt) override {
    Progress progress("the server writes scratchpads", requests.size(), "scratchpads");
    std::vector<std::string> out;
    // A part at a time, for the bar.
    for (std::size_t from = 0; from < requests.size(); from += kPart) {
      std::vector<gen::ChatRequest> part;
      for (std::size_t i = from; i < std::min(requests.size(), from + kPart); ++i) {
        part.push_back({requests[i], recipe_.scratchpad.tokens,
                        recipe_.data.seed + attempt * 1000003 + static_cast<std::int64_t>(i),
                        recipe_.data.reply_temperature});
      }
      for (auto& text : server_.ask(part)) out.push_back(std::move(text));
      progress.advance(part.size());
    }
    return out;
  }

 private:
  static constexpr std::size_t kPart = 32;
  const Recipe& recipe_;
  gen::ChatServer server_;
};

}  // namespace

std::unique_ptr<ScratchpadWriter> make_scratchpad_writer(const Recipe& recipe, gen::LanguageModel& model) {
  return std::make_unique<ModelWriter>(recipe, model);
}

std::unique_ptr<ScratchpadWriter> open_scratchpad_writer(const Recipe& recipe, gen::LanguageModel& original) {
  const auto& options = recipe.scratchpad;
  if (options.writer != "model") return nullptr;
  if (options.remote()) return std::make_unique<ServerWriter>(recipe);
  if (options.model.empty()) return make_scratchpad_writer(recipe, original);
  gen::OpenOptions open;
  open.dtype = recipe.study.dtype;
  open.device = recipe.study.device;  // chat_template is the study's model's, not this one's
  return std::make_unique<OpenedWriter>(recipe, gen::open_model(options.model, open));
}

}  // namespace reveille::study
