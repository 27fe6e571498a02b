// An attacker behind an OpenAI-compatible address, asked as a local model is.
#include "base/error.h"
#include "gen/chat_server.h"
#include "safety/attack_words.h"
#include "safety/make_attacker.h"

namespace reveille::safety {
namespace {

class UrlAttacker : public Attacker {
 public:
  UrlAttacker(const AttackOptions& options, std::int64_t seed)
      : options_(options),
        seed_(seed),
        server_({options.url, options.url_model, options.key_variable, options.timeout, "attacker_url"}) {}

  std::string key() const override {
    return cat("url ", options_.url, " ", options_.url_model, " ", options_.max_tokens, " ", options_.hint, " ", seed_);
  }

  std::vector<Proposal> propose(const AttackTurn& turn) override {
    std::vector<gen::ChatRequest> rows;
    for (std::size_t slot = 0; slot < turn.count; ++slot) {
      const auto number = static_cast<std::int64_t>(slot);
      rows.push_back({attack_words(turn, number, options_.hint), options_.max_tokens,
                      seed_ + (turn.round * 1000 + turn.turn) * 100000 + number});
    }
    std::vector<Proposal> out;
    for (const auto& answer : server_.ask(rows))
      out.push_back(proposal_from(static_cast<std::int64_t>(out.size()), answer));
    return out;
  }

 private:
  AttackOptions options_;
  std::int64_t seed_;
  gen::ChatServer server_;
};

}  // namespace

std::unique_ptr<Attacker> make_url_attacker(const AttackOptions& options, std::int64_t seed) {
  return std::make_unique<UrlAttacker>(options, seed);
}

}  // namespace reveille::safety
