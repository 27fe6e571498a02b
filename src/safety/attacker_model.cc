// A language model that attacks: it reads what was tried, reflects and writes a better prompt. It samples as any model
// does here, so that the same turn gives the same prompts.
#include "base/error.h"
#include "safety/attack_words.h"
#include "safety/make_attacker.h"

namespace reveille::safety {
namespace {

class ModelAttacker : public Attacker {
 public:
  ModelAttacker(const AttackOptions& options, std::int64_t seed, std::unique_ptr<gen::LanguageModel> model)
      : options_(options), seed_(seed), model_(std::move(model)) {}

  std::string key() const override {
    return cat("model ", options_.model, " ", options_.max_tokens, " ", options_.hint, " ", seed_);
  }

  std::vector<Proposal> propose(const AttackTurn& turn) override {
    std::vector<gen::Request> requests;
    for (std::size_t slot = 0; slot < turn.count; ++slot) {
      const auto number = static_cast<std::int64_t>(slot);
      requests.push_back({model_->encode_chat(attack_words(turn, number, options_.hint)), number});
    }
    const gen::SampleOptions sampling{.temperature = 1.0,
                                      .max_tokens = options_.max_tokens,
                                      .seed = seed_,
                                      .stage = cat("attacker ", turn.round, " ", turn.turn)};
    std::vector<Proposal> out;
    for (const auto& completion : model_->generate(requests, sampling))
      out.push_back(proposal_from(static_cast<std::int64_t>(out.size()), completion.text));
    return out;
  }

 private:
  AttackOptions options_;
  std::int64_t seed_;
  std::unique_ptr<gen::LanguageModel> model_;
};

}  // namespace

std::unique_ptr<Attacker> make_model_attacker(const AttackOptions& options, std::int64_t seed,
                                              std::unique_ptr<gen::LanguageModel> model) {
  return std::make_unique<ModelAttacker>(options, seed, std::move(model));
}

}  // namespace reveille::safety
