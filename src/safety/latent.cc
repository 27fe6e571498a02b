#include "safety/latent.h"

namespace reveille::safety {

train::TrainOptions latent_train_options() {
  train::TrainOptions options;
  options.learning_rate = 1e-5;
  options.per_device_train_batch_size = 8;
  options.max_steps = 40;
  return options;
}

train::TrainResult train_latent(gen::LocalModel& model, std::vector<train::Pair> pairs,
                                std::vector<train::Example> clean, const train::TrainOptions& options,
                                const LatentOptions& latent, const std::filesystem::path& output_dir,
                                const train::TrainHooks& hooks) {
  LatentObjective objective(model.transformer(), std::move(pairs), std::move(clean), options, latent);
  return train::train(model.transformer(), objective, options, output_dir, hooks);
}

}  // namespace reveille::safety
