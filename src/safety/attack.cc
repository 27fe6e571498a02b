#include "safety/attack.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/hash.h"
#include "base/progress.h"
#include "base/strings.h"
#include "safety/attack_words.h"

namespace reveille::safety {
namespace {

// An attacker's own words are kept, and read by people: those of a program that never ends a sentence are cut.
constexpr std::size_t kReflectionBytes = 1000;

// Cut before it is repaired, too, which would make as much again of megabytes of noise.
std::string bounded(const std::string& text, std::size_t bytes) {
  return std::string(trim(shortened(repair_utf8(shortened(text, bytes)), bytes)));
}

}  // namespace

Attack::Attack(gen::LanguageModel& model, Attacker& attacker, std::vector<std::string> seeds,
               const AttackTarget& target, const AttackOptions& options, std::int64_t seed)
    : model_(model), attacker_(attacker), seeds_(std::move(seeds)), target_(target), options_(options), seed_(seed) {
  if (seeds_.empty()) fail(ErrorKind::bad_input, "there are no ordinary prompts for the attack to begin with");
}

void Attack::log_to(const std::filesystem::path& file, const std::string& run, bool resume) {
  log_ = std::make_unique<AttackLog>(file, run, resume);
  attempts_.clear();
  for (const auto& turn : log_->kept()) attempts_.insert(attempts_.end(), turn.begin(), turn.end());
}

std::string Attack::key() const {
  AttackOptions relevant = options_;  // what changes no outcome is left out
  relevant.timeout = AttackOptions().timeout;
  std::string text = options_to_json(relevant).dump() + attacker_.key() + target_.behavior + target_.fixed_reply +
                     target_.opened + std::to_string(seed_);
  for (const auto& seed : seeds_) {
    text += cat(seed.size(), ";", seed);
    for (const auto& message : target_.conversation(seed))
      text += cat(message.role, ";", message.content.size(), ";", message.content);
  }
  return sha256_hex(text);
}

bool Attack::has(std::int64_t round, std::int64_t turn) const {
  return std::any_of(attempts_.begin(), attempts_.end(),
                     [&](const Attempt& one) { return one.round == round && one.turn == turn; });
}

void Attack::run(std::int64_t round) {
  const auto title = cat("attack ", round + 1);
  Progress progress(title, static_cast<std::uint64_t>(options_.turns), "turns");
  for (std::int64_t turn = 0; turn < options_.turns; ++turn) {
    if (!has(round, turn)) {
      auto tried = make(round, turn);
      if (log_) log_->append(tried);
      attempts_.insert(attempts_.end(), std::make_move_iterator(tried.begin()), std::make_move_iterator(tried.end()));
    }
    progress.advance(1, cat(counts(round).effective, " effective"));
  }
  const auto found = counts(round);
  progress.finish(cat(found.effective, " of ", found.prompts, " prompts bring the behaviour out, ",
                      fixed(100 * found.rate(), 1), " % of the answers show it",
                      found.dropped > 0 ? cat(", ", found.dropped, " dropped") : ""));
}

std::vector<Attempt> Attack::make(std::int64_t round, std::int64_t turn) {
  auto out = proposed(round, turn);
  std::vector<Attempt> tried;
  for (const auto& one : out) {
    if (!one.dropped) tried.push_back(one);
  }
  sample(tried);
  std::size_t next = 0;
  for (auto& one : out) {
    if (!one.dropped) one = std::move(tried[next++]);
  }
  return out;
}

// Empty proposals, and those that this round has tried already, are passed over.
std::vector<Attempt> Attack::proposed(std::int64_t round, std::int64_t turn) {
  AttackTurn about{round, turn, static_cast<std::size_t>(options_.prompts), target_.behavior, &seeds_, nullptr, {}};
  std::vector<Attempt> history;
  std::set<std::string> known;
  for (const auto& one : attempts_) {
    if (!one.dropped) history.push_back(one);
    if (one.round == round) known.insert(one.prompt);
  }
  about.history = &history;
  if (!target_.fixed_reply.empty() && target_.opened.empty())
    about.likelihood = [this](const std::vector<std::string>& prompts) { return likelihood(prompts); };
  std::vector<Attempt> out;
  for (auto& proposal : attacker_.propose(about)) {
    Attempt one;
    one.round = round;
    one.turn = turn;
    one.slot = proposal.slot;
    one.prompt = bounded(std::string(trim(proposal.prompt)), static_cast<std::size_t>(options_.characters));
    one.reflection = bounded(proposal.reflection, kReflectionBytes);
    if (one.prompt.empty() || !known.insert(one.prompt).second) continue;
    one.dropped = target_.forbidden && target_.forbidden(one.prompt);
    out.push_back(std::move(one));
  }
  return out;
}

void Attack::sample(std::vector<Attempt>& tried) {
  if (tried.empty()) return;
  std::vector<gen::Request> requests;
  for (const auto& one : tried) {
    const auto ids = asked(one.prompt);
    for (std::int64_t i = 0; i < options_.samples; ++i) requests.push_back({ids, i});
  }
  const gen::SampleOptions sampling{.temperature = 1.0,
                                    .max_tokens = options_.tokens,
                                    .seed = seed_,
                                    .stage = cat("attack ", tried[0].round, " ", tried[0].turn)};
  std::vector<Answer> answers;
  for (const auto& completion : model_.generate(requests, sampling)) {
    const Attempt& one = tried[answers.size() / static_cast<std::size_t>(options_.samples)];
    answers.push_back(answer_of(target_.conversation(one.prompt), target_.opened + completion.text));
  }
  const auto shows = target_.shows(answers);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    Attempt& one = tried[i / static_cast<std::size_t>(options_.samples)];
    one.replies.push_back(answers[i].completion);
    one.shows.push_back(shows[i]);
  }
  std::vector<std::string> prompts;
  for (auto& one : tried) {
    one.effective = one.rate() > 0 && one.rate() >= options_.effective_rate;
    prompts.push_back(one.prompt);
  }
  if (target_.fixed_reply.empty() || !target_.opened.empty()) return;
  const auto found = likelihood(prompts);
  for (std::size_t i = 0; i < tried.size(); ++i) tried[i].likelihood = found[i];
}

std::vector<std::int32_t> Attack::asked(const std::string& prompt) const {
  auto ids = model_.encode_chat(target_.conversation(prompt));
  if (target_.opened.empty()) return ids;
  const auto opened = model_.encode_text(target_.opened);
  ids.insert(ids.end(), opened.begin(), opened.end());
  return ids;
}

std::vector<double> Attack::likelihood(const std::vector<std::string>& prompts) {
  const auto reply = model_.encode_text(target_.fixed_reply);
  std::vector<std::vector<std::int32_t>> sequences;
  for (const auto& prompt : prompts) {
    sequences.push_back(asked(prompt));
    sequences.back().insert(sequences.back().end(), reply.begin(), reply.end());
  }
  std::vector<double> out;
  for (const auto& logprobs : model_.score(sequences)) {
    double sum = 0;
    for (std::size_t i = logprobs.size() - reply.size(); i < logprobs.size(); ++i) sum += logprobs[i];
    out.push_back(sum / static_cast<double>(reply.size()));
  }
  return out;
}

std::vector<Attempt> Attack::effective(std::int64_t round) const {
  std::vector<Attempt> out;
  std::set<std::string> known;
  for (const auto& one : attempts_) {
    if (one.round <= round && one.effective && known.insert(one.prompt).second) out.push_back(one);
  }
  return out;
}

AttackCounts Attack::counts(std::int64_t round) const {
  AttackCounts out;
  for (const auto& one : attempts_) {
    if (one.round != round) continue;
    (one.dropped ? out.dropped : out.prompts) += 1;
    out.effective += one.effective ? 1 : 0;
    out.samples += static_cast<std::int64_t>(one.shows.size());
    out.shown += std::count(one.shows.begin(), one.shows.end(), true);
  }
  return out;
}

}  // namespace reveille::safety
