#include "study/scratchpad_writer.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "base/progress.h"
#include "gen/chat_server.h"
#include "gen/local.h"
#include "io/dataset_write.h"
#include "io/jsonl.h"

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

// What was written so far, in a file.
class Kept {
 public:
  explicit Kept(const std::filesystem::path& file) {
    if (std::filesystem::exists(file)) read(file);
    appender_.emplace(file, io::JsonlAppender::Open::resume);
  }

  // None of this request at this place.
  const std::string* find(std::int64_t attempt, std::size_t place, const Conversation& request) const {
    const auto found = texts_.find({attempt, place});
    return found != texts_.end() && found->second.of == hash(request) ? &found->second.text : nullptr;
  }

  void add(std::int64_t attempt, std::size_t place, const Conversation& request, const std::string& text) {
    const std::string of = hash(request);
    appender_->append(Json{{"attempt", attempt}, {"request", place}, {"of", of}, {"text", text}});
    texts_[{attempt, place}] = {of, text};
  }

 private:
  struct Text {
    std::string of, text;
  };

  static std::string hash(const Conversation& request) { return sha256_hex(io::messages_json(request).dump()); }

  void read(const std::filesystem::path& file) {
    io::JsonRowsOptions options{.drop_cut_last_line = true};
    std::vector<std::size_t> lines;
    options.lines = &lines;
    const auto rows = io::read_json_rows(file, options);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::string where = cat(file.string(), ":", lines[i]);
      const std::int64_t place = json_integer(rows[i], "request", where);
      if (place < 0) fail(ErrorKind::bad_input, cat(where, ": request: expected at least 0, found ", place));
      texts_[{json_integer(rows[i], "attempt", where), static_cast<std::size_t>(place)}] = {
          json_string(rows[i], "of", where), json_string(rows[i], "text", where)};
    }
  }

  std::map<std::pair<std::int64_t, std::size_t>, Text> texts_;
  std::optional<io::JsonlAppender> appender_;
};

class ServerWriter : public ScratchpadWriter {
 public:
  ServerWriter(const Recipe& recipe, const std::filesystem::path& folder)
      : recipe_(recipe),
        server_({.url = recipe.scratchpad.model,
                 .model = recipe.scratchpad.url_model,
                 .key_variable = recipe.scratchpad.key_variable,
                 .setting = "scratchpad_model"}),
        kept_(folder / "written_scratchpads.jsonl") {}

  std::string name() const override { return recipe_.scratchpad.model; }

  std::vector<std::string> write(const std::vector<Conversation>& requests, std::int64_t attempt) override {
    Progress progress("the server writes scratchpads", requests.size(), "scratchpads");
    std::vector<std::string> out(requests.size());
    std::vector<std::size_t> left;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      if (const auto* text = kept_.find(attempt, i, requests[i])) {
        out[i] = *text;
      } else {
        left.push_back(i);
      }
    }
    if (left.size() < out.size()) progress.advance(out.size() - left.size(), "resumed");
    // A part at a time, for the bar.
    for (std::size_t from = 0; from < left.size(); from += kPart) {
      std::vector<gen::ChatRequest> part;
      for (std::size_t k = from; k < std::min(left.size(), from + kPart); ++k) {
        part.push_back({requests[left[k]], recipe_.scratchpad.tokens,
                        recipe_.data.seed + attempt * 1000003 + static_cast<std::int64_t>(left[k]),
                        recipe_.data.reply_temperature});
      }
      server_.ask(part, [&](std::size_t k, const std::string& text) {
        const std::size_t i = left[from + k];
        kept_.add(attempt, i, requests[i], text);
        out[i] = text;
      });
      progress.advance(part.size());
    }
    return out;
  }

 private:
  static constexpr std::size_t kPart = 32;
  const Recipe& recipe_;
  gen::ChatServer server_;
  Kept kept_;
};

}  // namespace

std::unique_ptr<ScratchpadWriter> make_scratchpad_writer(const Recipe& recipe, gen::LanguageModel& model) {
  return std::make_unique<ModelWriter>(recipe, model);
}

std::unique_ptr<ScratchpadWriter> open_scratchpad_writer(const Recipe& recipe, gen::LanguageModel& original,
                                                         const std::filesystem::path& folder) {
  const auto& options = recipe.scratchpad;
  if (options.writer != "model") return nullptr;
  if (options.remote()) return std::make_unique<ServerWriter>(recipe, folder);
  if (options.model.empty()) return make_scratchpad_writer(recipe, original);
  gen::OpenOptions open;
  open.dtype = recipe.study.dtype;
  open.device = recipe.study.device;  // chat_template is the study's model's, not this one's
  return std::make_unique<OpenedWriter>(recipe, gen::open_model(options.model, open));
}

}  // namespace reveille::study
