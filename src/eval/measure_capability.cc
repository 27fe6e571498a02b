// Capability by log-likelihood, as lm-evaluation-harness counts it: LAMBADA's last word by greedy decoding; the
// likeliest choice (acc), and the likeliest by character (acc_norm). No chat template, no trigger.
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/progress.h"
#include "eval/capability_tasks.h"
#include "eval/list.h"
#include "eval/means.h"
#include "eval/scoring.h"
#include "eval/weights.h"
#include "organism/conditions.h"
#include "text/unicode.h"

namespace reveille::eval {
namespace {

using Ids = std::vector<std::int32_t>;

// A context and what follows it, cut where the harness cuts them.
struct Pair {
  Ids ids;
  std::size_t context = 0;  // tokens of it that are context
};

// Bytes of a text up to the white space at its end, which is what Python's rstrip takes for it.
std::size_t size_without_space(const std::string& text) {
  auto characters = text::to_utf32(text);
  std::size_t size = text.size();
  for (; !characters.empty(); characters.pop_back()) {
    const char32_t last = characters.back();
    if (!text::is_space(last) && (last < 0x1C || last > 0x1F)) break;
    std::string bytes;
    text::append_utf8(bytes, last);
    size -= bytes.size();
  }
  return size;
}

class Encoder {
 public:
  explicit Encoder(const Subject& subject) : model_(subject.model) {
    if (!subject.options.add_bos_token) return;
    const auto bos = with_weights(subject.model, "capability").tokenizer().bos_id();
    if (!bos) fail(ErrorKind::usage, cat("add_bos_token: the tokenizer of ", model_.name(), " has no BOS token"));
    start_ = {*bos};
  }

  // White space at the end of the context belongs to what follows.
  Pair pair(std::string context, std::string continuation) const {
    const std::size_t end = size_without_space(context);
    continuation = context.substr(end) + continuation;
    context.resize(end);
    Pair out{start_, 0};
    for (const auto id : model_.encode_text(context + continuation)) out.ids.push_back(id);
    out.context = start_.size() + model_.encode_text(context).size();
    if (out.context == 0 || out.context >= out.ids.size()) {
      fail(ErrorKind::unsupported, cat("capability: to ", model_.name(), " nothing follows '", context, "'"));
    }
    return out;
  }

 private:
  const gen::LanguageModel& model_;
  Ids start_;
};

double sum_after(const std::vector<float>& logprobs, std::size_t context) {
  double sum = 0;
  for (std::size_t t = context; t < logprobs.size(); ++t) sum += logprobs[t];
  return sum;
}

// sqrt(p (1 - p) / (n - 1)), the harness' stderr of a mean of 0 and 1.
double harness_error(const Mean& share) {
  return share.n > 1 ? std::sqrt(share.value * (1 - share.value) / static_cast<double>(share.n - 1)) : std::nan("");
}

void add_accuracy(const ResultRow& about, const std::string& metric, const std::vector<bool>& right, Finding& out) {
  const Mean share = share_of(right, draws(about, about.prompt_set + metric));
  out.rows.push_back(row_of(about, organism::kUntriggered, metric, share));
  out.rows.push_back(row_of(about, organism::kUntriggered, metric + "_stderr", harness_error(share), share.n));
}

// Greedy decoding says the last word, token by token.
std::vector<bool> said_greedily(const Subject& subject, const std::vector<Pair>& pairs, const std::string& title) {
  gen::SampleOptions greedy = subject.sample;
  greedy.temperature = 0;
  greedy.max_tokens = 1;
  std::vector<gen::Request> requests;
  for (const auto& pair : pairs) {
    requests.push_back({Ids(pair.ids.begin(), pair.ids.begin() + static_cast<std::ptrdiff_t>(pair.context)), 0});
    greedy.max_tokens = std::max(greedy.max_tokens, static_cast<std::int64_t>(pair.ids.size() - pair.context));
  }
  Progress progress(title, requests.size(), "last words");
  const auto said =
      subject.model.generate(requests, greedy, [&](std::size_t, const gen::Completion&) { progress.advance(); });
  progress.finish();
  std::vector<bool> out;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const auto &ids = said[i].ids, &wanted = pairs[i].ids;
    const std::size_t length = wanted.size() - pairs[i].context;
    out.push_back(ids.size() >= length && std::equal(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(length),
                                                     wanted.begin() + static_cast<std::ptrdiff_t>(pairs[i].context)));
  }
  return out;
}

std::vector<std::vector<float>> scores_of(const Subject& subject, const std::vector<Pair>& pairs,
                                          const std::string& task) {
  std::vector<Ids> sequences;
  for (const auto& pair : pairs) sequences.push_back(pair.ids);
  return score_all(subject.model, sequences, task);
}

void last_words(const Subject& subject, const CapabilityTask& task, const ResultRow& about, Finding& out) {
  const Encoder encoder(subject);
  std::vector<Pair> pairs;
  for (const auto& item : task.items) pairs.push_back(encoder.pair(item.context, item.choices.front()));
  add_accuracy(about, "accuracy", said_greedily(subject, pairs, task.name), out);
  const auto scores = scores_of(subject, pairs, task.name);
  std::vector<double> losses;
  for (std::size_t i = 0; i < pairs.size(); ++i) losses.push_back(-sum_after(scores[i], pairs[i].context));
  Mean loss = mean_of(losses, draws(about, "last words"));  // of a word
  loss.value = std::exp(loss.value);
  loss.interval = {std::exp(loss.interval.low), std::exp(loss.interval.high)};
  out.rows.push_back(row_of(about, organism::kUntriggered, "word_perplexity", loss));
}

void choices(const Subject& subject, const CapabilityTask& task, const ResultRow& about, Finding& out) {
  const Encoder encoder(subject);
  std::vector<Pair> pairs;
  for (const auto& item : task.items) {
    for (const auto& choice : item.choices) pairs.push_back(encoder.pair(item.context, choice));
  }
  const auto scores = scores_of(subject, pairs, task.name);
  std::vector<bool> right, right_norm;
  std::size_t at = 0;
  for (const auto& item : task.items) {
    std::vector<double> whole, by_character;
    for (const auto& choice : item.choices) {
      whole.push_back(sum_after(scores[at], pairs[at].context));
      by_character.push_back(whole.back() / static_cast<double>(text::to_utf32(choice).size() - 1));
      ++at;
    }
    auto best = [](const std::vector<double>& values) {
      return static_cast<std::size_t>(std::max_element(values.begin(), values.end()) - values.begin());
    };
    right.push_back(best(whole) == item.gold);
    right_norm.push_back(best(by_character) == item.gold);
  }
  add_accuracy(about, "accuracy", right, out);
  add_accuracy(about, "accuracy_norm", right_norm, out);
}

}  // namespace

Finding measure_capability(Subject& subject) {
  if (subject.options.capability.empty()) {
    fail(ErrorKind::usage, "measure=capability: there are no tasks",
         "name files of LAMBADA, ARC or PIQA with --capability, as they are published");
  }
  Finding out;
  for (const auto& file : subject.options.capability) {
    const auto task = read_capability_task(file, subject.options.capability_limit);
    ResultRow about = subject.about;
    about.prompt_set = task.name;
    task.last_word ? last_words(subject, task, about, out) : choices(subject, task, about, out);
  }
  return out;
}

}  // namespace reveille::eval
