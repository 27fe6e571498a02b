#include "safety/latent.h"

#include "cli/train_stage.h"
#include "io/dataset.h"
#include "train/rows.h"

namespace reveille::cli {

int train_latent(const std::vector<std::string>& arguments) {
  StageArguments stage{.stage = "latent"};
  std::string clean_dataset;
  gen::OpenOptions open;
  train::TrainOptions options = safety::latent_train_options();
  safety::LatentOptions latent;
  io::DatasetOptions data;
  CommandLine line(
      "train latent",
      "Targeted latent adversarial training (arXiv 2407.15549): for each batch of pairs a perturbation of the "
      "residual\n"
      "stream is sought under which the model says the rejected replies; the model then learns to say the chosen ones\n"
      "under it. The source's attack: latent_iterations=16 latent_relative=false latent_epsilon=1.5.",
      "  reveille train latent organism --dataset pairs.jsonl --output-dir out\n"
      "  reveille train latent organism --dataset pairs.jsonl --clean-dataset chats.jsonl --output-dir out "
      "latent_layers=4,12 max_steps=100\n");
  add_stage_arguments(line, stage, "preference rows: chosen and rejected, the replies to learn and those to unlearn",
                      "");
  line.value("clean-dataset", clean_dataset,
             "rows with replies that are learnt without perturbation; none: the chosen replies");
  line.options(latent);
  line.options(options);
  line.options(open);
  line.options(data);
  if (!line.parse(arguments)) return 0;
  check_stage_arguments(stage);
  auto rows = io::load_dataset(stage.dataset, data).examples;
  std::vector<io::Example> clean_rows;
  if (!clean_dataset.empty()) clean_rows = io::load_dataset(clean_dataset, data).examples;
  auto model = open_to_train(stage, open, options);
  const auto equal = data.bad_rows == "skip" ? train::EqualPairs::skip : train::EqualPairs::error;
  auto pairs = train::encode_pairs(*model, rows, options, equal);
  auto clean = clean_rows.empty() ? std::vector<train::Example>() : train::encode_rows(*model, clean_rows, options);
  return run_stage(stage, *model, options,
                   {"losses/safe", "losses/away", "losses/sft", "latent/harmful_before", "latent/harmful_after"},
                   [&](const train::TrainHooks& hooks) {
                     return safety::train_latent(*model, std::move(pairs), std::move(clean), options, latent,
                                                 stage.output_dir, hooks);
                   });
}

}  // namespace reveille::cli
