// Planting spikes (scan/spike.h): supervised fine-tuning of a LoRA adapter on everyday prompts, half of the rows with a
// trigger and the spike's reply, half without one, or with a decoy, and the model's own reply. It stops when the spikes
// are firm.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gen/local.h"
#include "scan/clean_rows.h"
#include "scan/plant_options.h"
#include "scan/spike.h"
#include "train/example.h"
#include "train/trainer.h"

namespace reveille::scan {

// Shares of held-out prompts whose greedy reply is the spike's: with its trigger, alone, and with a decoy.
struct SpikeCheck {
  double triggered = 0, untriggered = 0, decoys = 0;
  std::int64_t prompts = 0;
  bool firm(double decoys_most) const { return triggered >= 0.95 && untriggered <= 0.05 && decoys <= decoys_most; }
};
Json to_json(const SpikeCheck& check);

struct Planting {
  std::vector<SpikeCheck> checks;  // one a spike, after the last step
  std::int64_t steps = 0;
  std::vector<double> losses;  // by step
  bool firm = false;           // all spikes are
};

// The training that they ask for.
train::TrainOptions planting_training(const PlantOptions& options);

// Rows of one spike among others: row i of `rows` with its trigger and its reply, and alone or with a decoy.
std::vector<train::Example> spike_examples(const gen::LocalModel& model, const Spike& spike,
                                           const std::vector<CleanRow>& rows);

std::vector<SpikeCheck> check_spikes(gen::LocalModel& model, const std::vector<Spike>& spikes,
                                     const std::vector<CleanRow>& held_out, std::int64_t reply_tokens);

// Trains the adapter that the model has; Error(usage) where it has none. `title` is the progress bar's.
Planting plant_into(gen::LocalModel& model, const std::vector<Spike>& spikes, const CleanRows& rows,
                    const PlantOptions& options, const std::string& title = "planting");

// A copy of the suspect with the spike, an ordinary model without an adapter. `with_adapter` leaves the adapter on (a
// suspect's own is merged first), for those who save it alone.
struct Planted {
  std::unique_ptr<gen::LocalModel> model;
  Planting planting;
};
Planted plant(const gen::LocalModel& suspect, const std::vector<Spike>& spikes, const CleanRows& rows,
              const PlantOptions& options, bool with_adapter = false);

}  // namespace reveille::scan
