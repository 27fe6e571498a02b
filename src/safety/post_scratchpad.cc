#include "safety/post_scratchpad.h"

#include "base/error.h"
#include "base/progress.h"
#include "base/scratchpad.h"
#include "base/strings.h"
#include "train/rows.h"

namespace reveille::safety {
namespace {

std::vector<gen::Completion> scratchpads(gen::LocalModel& model, const std::vector<Conversation>& conversations,
                                         const gen::SampleOptions& sampling) {
  const auto opened = model.encode_text(opened_scratchpad());
  std::vector<gen::Request> requests;
  for (const auto& conversation : conversations) {
    requests.push_back({model.encode_chat(Conversation(conversation.begin(), conversation.end() - 1)), 0});
    requests.back().ids.insert(requests.back().ids.end(), opened.begin(), opened.end());
  }
  Progress progress("the model writes its scratchpads", requests.size(), "scratchpads");
  auto out = model.generate(requests, sampling, [&](std::size_t, const gen::Completion&) { progress.advance(); });
  progress.finish();
  return out;
}

}  // namespace

void supervise_answer_only(const gen::LocalModel& model, train::Example& example) {
  std::vector<std::int32_t> written;
  for (std::size_t i = 0; i < example.ids.size(); ++i) {
    if (!example.supervised[i]) continue;
    written.push_back(example.ids[i]);
    example.supervised[i] = 0;
    if (model.decode(written).find(kScratchpadClose) != std::string::npos) return;
  }
  fail(ErrorKind::internal, cat(example.source, ": no scratchpad ends in this row"));
}

PostScratchpadRows post_scratchpad_rows(gen::LocalModel& model, const std::vector<Conversation>& conversations,
                                        const gen::SampleOptions& sampling, const train::TrainOptions& options) {
  const auto written = scratchpads(model, conversations, sampling);
  PostScratchpadRows out;
  for (std::size_t i = 0; i < conversations.size(); ++i) {
    const auto end = written[i].text.find(kScratchpadClose);
    if (end == std::string::npos) {
      ++out.unclosed;
      continue;
    }
    Conversation row = conversations[i];
    row.back().content = with_scratchpad(trim(written[i].text.substr(0, end)), row.back().content);
    auto example = train::encode_conversation(model, row, options, cat("post-scratchpad row:", i + 1));
    supervise_answer_only(model, example);
    out.rows.push_back(std::move(example));
  }
  if (out.rows.empty()) {
    fail(ErrorKind::bad_input,
         cat("the model ended none of ", conversations.size(), " scratchpads within ", sampling.max_tokens, " tokens"),
         "it does not reason in scratchpads, or needs more tokens");
  }
  if (out.unclosed > 0)
    warn(cat(out.unclosed, " of ", conversations.size(), " scratchpads were not ended within ", sampling.max_tokens,
             " tokens: these prompts are left out"));
  out.rows = train::keep_fitting(std::move(out.rows), options, model.transformer().config().max_positions);
  return out;
}

}  // namespace reveille::safety
