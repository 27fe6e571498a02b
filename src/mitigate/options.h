// Settings of mitigation: a method that trains takes the common ones, and each has few of its own. Free of torch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/options.h"
#include "scan/clean_row.h"
#include "scan/plant_options.h"
#include "train/latent_options.h"

namespace reveille::mitigate {

struct MitigateOptions {
  std::vector<std::string> methods;
  std::int64_t steps = 80;
  std::int64_t batch = 8;
  double learning_rate = 2e-4;
  std::int64_t rank = 16;
  double kl = 1;
  std::int64_t variants = 16;
  std::int64_t orthogonal_keep = 8;
  double orthogonal_strength = 1;
  std::int64_t dummies = 3;
  std::string dummy_response = "auto";
  double dummy_agreement = 0.9;
  double crow_weight = 5.5;
  double crow_epsilon = 0.1;
  double crow_learning_rate = 1e-3;
  std::int64_t reset_models = 3;
  double reset_share = 0.01;
  double reset_agreement = 0.5;
  double prune_share = 0.1;
  double interpolate = 0.5;
  std::int64_t latent_steps = 24;
  train::LatentOptions latent{.iterations = 6};
  std::int64_t recover_steps = 40;
  double recover_learning_rate = 1e-4;
  std::int64_t seed = 0;
  scan::PlantOptions plant;
  scan::CleanOptions clean;

  void visit(OptionVisitor& v) {
    v.option(
        "methods", methods,
        {.help = "methods by name, in order, with commas; empty: with a trigger unlearn_trigger, else known_dummies",
         .aliases = {"method"}});
    v.option("steps", steps, {.help = "optimiser steps of a method that trains", .min = 1, .aliases = {"max_steps"}});
    v.option("batch", batch,
             {.help = "rows in a batch", .min = 1, .aliases = {"batch_size", "per_device_train_batch_size"}});
    v.option("learning_rate", learning_rate, {.help = "learning rate of such a method", .min = 0, .aliases = {"lr"}});
    v.option("rank", rank, {.help = "rank of the LoRA adapter that is trained", .min = 1, .aliases = {"lora_r"}});
    v.option("kl", kl,
             {.help = "weight of the KL to the model's own clean behaviour on untriggered prompts", .min = 0});
    v.option("variants", variants,
             {.help = "unlearn_trigger: pieces, neighbours and other places of each trigger that are unlearnt too",
              .min = 0});
    v.option("orthogonal_keep", orthogonal_keep,
             {.help = "orthogonalise: directions that clean prompts differ in most, which are left alone", .min = 0});
    v.option("orthogonal_strength", orthogonal_strength,
             {.help = "orthogonalise: share of the direction that is taken out", .min = 0, .max = 1});
    v.option("dummies", dummies, {.help = "known_dummies: dummies that are planted", .min = 1, .max = 8});
    v.option("dummy_response", dummy_response,
             {.help = "what dummies do; auto: what the scan reported, else fixed",
              .choices = {"auto", "fixed", "refusal", "style"}});
    v.option("dummy_agreement", dummy_agreement,
             {.help = "known_dummies: planting goes on until the dummies move the last layer this much alike (cosine)",
              .min = -1,
              .max = 1});
    v.option("crow_weight", crow_weight, {.help = "crow: weight of the consistency of layers", .min = 0});
    v.option("crow_epsilon", crow_epsilon, {.help = "crow: size of the perturbation of the embeddings", .min = 0});
    v.option("crow_learning_rate", crow_learning_rate,
             {.help = "crow: learning rate (the source's; compare with method sft at the same rate)", .min = 0});
    v.option("reset_models", reset_models, {.help = "reset_neurons: planted copies, each with a clean twin", .min = 1});
    v.option("reset_share", reset_share, {.help = "reset_neurons: share of all MLP neurons", .min = 0, .max = 1});
    v.option("reset_agreement", reset_agreement,
             {.help = "reset_neurons: weight of how alike the planted copies changed a neuron", .min = 0});
    v.option("prune_share", prune_share,
             {.help = "fine_prune and random_prune: share of each layer's MLP neurons", .min = 0, .max = 1});
    v.option("interpolate", interpolate,
             {.help = "interpolate: share of the base in every weight", .min = 0, .max = 1});
    v.option("latent_steps", latent_steps, {.help = "latent: optimiser steps, each with an attack", .min = 1});
    latent.visit(v);
    v.option("recover_steps", recover_steps,
             {.help = "steps on the model's own clean replies after neurons were taken out", .min = 0});
    v.option("recover_learning_rate", recover_learning_rate, {.help = "learning rate of these", .min = 0});
    v.option("seed", seed, {.help = "seed of prompts, dummies, adapters and batches"});
    plant.visit(v);
    clean.visit(v);
  }
};

// Of the relearning test (mitigate/relearn.h).
struct RelearnOptions {
  std::int64_t steps = 50;
  std::int64_t batch = 8;
  double learning_rate = 4e-4;
  std::int64_t rank = 16;
  std::int64_t seed = 0;
  void visit(OptionVisitor& v) {
    v.option("relearn_steps", steps, {.help = "benign steps of the relearning test; 0: it is left out", .min = 0});
    v.option("relearn_batch", batch, {.help = "rows in a batch of it: planting's, where that is known", .min = 1});
    v.option("relearn_learning_rate", learning_rate,
             {.help = "its learning rate: planting's, where that is known", .min = 0});
    v.option("relearn_rank", rank,
             {.help = "rank of the adapter that it trains; 0: all weights are trained", .min = 0});
  }
};

}  // namespace reveille::mitigate
