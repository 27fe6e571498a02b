// Targeted latent adversarial training (Sheshadri et al., arXiv 2407.15549): clean replies are learnt under
// perturbations of the residual stream that call for what the backdoor is suspected to say. No trigger is needed, a
// guess of the replies is.
#include "mitigate/dummies.h"
#include "mitigate/method.h"
#include "scan/placing.h"
#include "train/latent_objective.h"

namespace reveille::mitigate {
namespace {

class Latent : public Method {
 public:
  MethodCard card() const override {
    return {.name = "latent",
            .does = "clean replies under perturbations of the residual stream that call for the suspected behaviour",
            .source = "arXiv 2407.15549"};
  }

  Json apply(Workspace& work) override {
    const auto& options = work.options();
    // What is called for is what a dummy would answer.
    const scan::Spike dummy = draw_dummies(work, 1, true).front();
    const auto training = work.training(options.latent_steps, options.learning_rate);
    work.adapted();
    train::LatentObjective objective(work.model().transformer(), pairs(work, dummy), work.clean().examples, training,
                                     options.latent);
    return {{"replies", dummy.replies},
            {"response", scan::response_name(dummy.response)},
            {"training", work.train(objective, training, "latent attacks")}};
  }

 private:
  static std::vector<train::Pair> pairs(const Workspace& work, const scan::Spike& dummy) {
    const auto context = work.model().transformer().config().max_positions;
    std::vector<train::Pair> out;
    const auto& rows = work.rows().train;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      auto answered = [&](const std::string& reply, bool finished) {
        return scan::encode_answered(work.model(), {{"user", rows[i].prompt}}, reply, finished, "pair");
      };
      train::Pair pair{answered(rows[i].reply, rows[i].finished),
                       answered(scan::spiked_reply(dummy, rows[i].reply, i), true)};
      const auto longest = std::max(std::ssize(pair.chosen.ids), std::ssize(pair.rejected.ids));
      if (longest <= context) out.push_back(std::move(pair));
    }
    return out;
  }
};

}  // namespace

std::unique_ptr<Method> make_latent() { return std::make_unique<Latent>(); }

}  // namespace reveille::mitigate
