// Targeted latent adversarial training (Sheshadri et al., arXiv 2407.15549) as a safety training; the objective is
// train/latent_objective.h's.
#pragma once

#include <filesystem>
#include <vector>

#include "gen/local.h"
#include "train/latent_objective.h"
#include "train/pairs.h"
#include "train/trainer.h"

namespace reveille::safety {

// TrainOptions with defaults for this stage.
train::TrainOptions latent_train_options();

using train::LatentObjective;
using train::LatentOptions;

// Model in, model out.
train::TrainResult train_latent(gen::LocalModel& model, std::vector<train::Pair> pairs,
                                std::vector<train::Example> clean, const train::TrainOptions& options,
                                const LatentOptions& latent, const std::filesystem::path& output_dir,
                                const train::TrainHooks& hooks = {});

}  // namespace reveille::safety
