// The settings of latent adversarial training (arXiv 2407.15549). Free of torch, so that a recipe can hold them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/options.h"

namespace reveille::train {

struct LatentOptions {
  std::vector<std::string> layers;
  double epsilon = 0.2;
  bool relative = true;
  std::int64_t iterations = 8;
  double step = 0.25;
  double away = 1.0;
  double sft = 1.0;
  void visit(OptionVisitor& v) {
    v.option(
        "latent_layers", layers,
        {.help = "blocks whose output is perturbed, counted from 0, -1 for the embedding; empty: four, at 1/8, 3/8, "
                 "5/8 and 7/8 of the depth"});
    v.option("latent_epsilon", epsilon,
             {.help = "radius of the ball that each token's perturbation stays in", .min = 0});
    v.option(
        "latent_relative", relative,
        {.help = "the radius is counted in norms of the token's own residual; false: as it stands (the source's 1.5)"});
    v.option("latent_iterations", iterations, {.help = "steps of the attack on each batch (the source: 16)", .min = 0});
    v.option("latent_step", step, {.help = "length of such a step, in radii", .min = 0});
    v.option("latent_away", away,
             {.help = "weight of the terms -log(1 - p): of the attack, of the chosen reply; of the training, of the "
                      "rejected one",
              .min = 0});
    v.option("latent_sft", sft, {.help = "weight of the loss on clean rows, without perturbation", .min = 0});
  }
};

}  // namespace reveille::train
