#include "train/lora.h"

namespace reveille::train {

io::PeftConfig peft_config(const TrainOptions& options, const std::string& base) {
  io::PeftConfig config;
  config.base_model = base;
  config.r = options.lora_r;
  config.lora_alpha = options.lora_alpha;
  config.use_rslora = options.use_rslora;
  config.all_linear = options.target_modules == std::vector<std::string>{"all-linear"};
  if (!config.all_linear) config.target_modules = options.target_modules;
  return config;
}

}  // namespace reveille::train
