// Settings of a training run, under TRL's and transformers' names.
#pragma once

#include <string>
#include <vector>

#include "base/options.h"

namespace reveille::train {

struct TrainOptions {
  std::int64_t per_device_train_batch_size = 16;
  std::int64_t gradient_accumulation_steps = 1;
  double learning_rate = 5e-5;
  double num_train_epochs = 3;
  std::int64_t max_steps = -1;
  std::string lr_scheduler_type = "linear";
  double warmup_ratio = 0;
  std::int64_t warmup_steps = 0;
  std::string optim = "adamw_torch";
  std::string optim_args;
  double weight_decay = 0;
  double adam_beta1 = 0.9, adam_beta2 = 0.999, adam_epsilon = 1e-8;
  double max_grad_norm = 1.0;
  std::int64_t max_length = 1024;
  std::string overlong = "error";
  bool assistant_only_loss = true;
  std::int64_t seed = 0;
  std::int64_t logging_steps = 1;
  std::int64_t save_steps = 0;
  std::int64_t save_total_limit = 2;
  std::int64_t eval_steps = 0;
  std::string save_dtype = "auto";
  std::string report_to = "tensorboard";
  bool resume = true;
  bool use_peft = false;
  std::int64_t lora_r = 8;
  double lora_alpha = 16;
  double lora_dropout = 0;
  bool use_rslora = false;
  std::vector<std::string> target_modules = {"all-linear"};

  void visit(OptionVisitor& v) {
    v.option("per_device_train_batch_size", per_device_train_batch_size,
             {.help = "rows in a batch", .min = 1, .aliases = {"batch_size", "train_batch_size"}});
    v.option("gradient_accumulation_steps", gradient_accumulation_steps,
             {.help = "batches added up before an optimiser step", .min = 1});
    v.option("learning_rate", learning_rate, {.help = "peak learning rate", .min = 0, .aliases = {"lr"}});
    v.option("num_train_epochs", num_train_epochs,
             {.help = "passes over the data (max_steps goes before it)", .min = 0});
    v.option("max_steps", max_steps, {.help = "optimiser steps; -1: as many as the epochs give", .min = -1});
    v.option(
        "lr_scheduler_type", lr_scheduler_type,
        {.help = "shape of the learning rate", .choices = {"linear", "cosine", "constant", "constant_with_warmup"}});
    v.option("warmup_ratio", warmup_ratio, {.help = "share of the steps that warm up", .min = 0, .max = 1});
    v.option("warmup_steps", warmup_steps, {.help = "steps that warm up (goes before warmup_ratio)", .min = 0});
    v.option("optim", optim,
             {.help = "optimiser, under transformers' name",
              .choices = {"adamw_torch", "adamw", "sgd", "adafactor"},
              .aliases = {"optimizer"}});
    v.option("optim_args", optim_args,
             {.help = "its own settings, key=value,key=value: of sgd momentum, dampening, nesterov; of adafactor "
                      "scale_parameter, relative_step, warmup_init, clip_threshold, decay_rate, beta1, eps1, eps2"});
    v.option("weight_decay", weight_decay, {.help = "weight decay, on matrices", .min = 0});
    v.option("adam_beta1", adam_beta1, {.help = "AdamW beta 1", .min = 0, .max = 1});
    v.option("adam_beta2", adam_beta2, {.help = "AdamW beta 2", .min = 0, .max = 1});
    v.option("adam_epsilon", adam_epsilon, {.help = "AdamW epsilon", .min = 0});
    v.option("max_grad_norm", max_grad_norm, {.help = "gradients are clipped to this norm; 0: never", .min = 0});
    v.option("max_length", max_length,
             {.help = "longest row, in tokens", .min = 2, .aliases = {"max_seq_length", "cutoff_len"}});
    v.option("overlong", overlong, {.help = "what to do with a longer row", .choices = {"error", "drop", "truncate"}});
    v.option("assistant_only_loss", assistant_only_loss,
             {.help = "loss on the assistant's tokens only, the end-of-turn token included",
              .aliases = {"completion_only_loss"}});
    v.option("seed", seed, {.help = "seed of the data order and of new adapters"});
    v.option("logging_steps", logging_steps, {.help = "steps between log lines", .min = 1});
    v.option("save_steps", save_steps, {.help = "steps between checkpoints; 0: none before the end", .min = 0});
    v.option("save_total_limit", save_total_limit, {.help = "checkpoints kept", .min = 1});
    v.option("eval_steps", eval_steps, {.help = "steps between evaluations; 0: none before the end", .min = 0});
    v.option("save_dtype", save_dtype,
             {.help = "type of the saved weights; auto: bfloat16 when trained in it",
              .choices = {"auto", "float32", "bfloat16"}});
    v.option("report_to", report_to, {.help = "event files", .choices = {"none", "tensorboard"}});
    v.option("resume", resume,
             {.help = "go on from the latest checkpoint in the output folder", .aliases = {"resume_from_checkpoint"}});
    v.option("use_peft", use_peft,
             {.help = "train a LoRA adapter instead of all weights", .aliases = {"use_lora", "lora"}});
    v.option("lora_r", lora_r, {.help = "LoRA rank", .min = 1, .aliases = {"lora_rank", "r"}});
    v.option("lora_alpha", lora_alpha, {.help = "LoRA alpha; the change is scaled by alpha / r", .min = 0});
    v.option("lora_dropout", lora_dropout,
             {.help = "dropout of the adapter's input; only 0 is supported", .min = 0, .max = 0});
    v.option("use_rslora", use_rslora, {.help = "scale by alpha / sqrt(r)"});
    v.option("target_modules", target_modules,
             {.help = "linear layers that get an adapter, by the end of their names, or all-linear",
              .aliases = {"lora_target_modules"}});
  }
};

}  // namespace reveille::train
