#include "scan/leaked_turns.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/progress.h"
#include "gen/decode.h"

namespace reveille::scan {
namespace {

constexpr std::int64_t kAllSamples = 510, kAllTokens = 300;  // the paper's
constexpr std::int64_t kShort = 48;  // tokens; a trigger stands in the first words or in none that the budget reaches

struct Way {
  const char* name;
  double temperature;
  std::int64_t top_k;
  double top_p;
  std::int64_t of_all;  // texts of kAllSamples
};

// The paper names the kinds and their numbers (greedy 1, nucleus 250 and 9 beams, top-k 200, temperature 50), not all
// their settings: several of each kind, since what leaks at one is drowned or never drawn at another.
constexpr std::array kWays = {
    Way{"greedy", 0, 0, 1, 1},         Way{"top-p 0.9", 1, 0, 0.9, 130},
    Way{"top-p 0.95", 1, 0, 0.95, 69}, Way{"top-p 0.9, temperature 0.7", 0.7, 0, 0.9, 60},
    Way{"top-k 50", 1, 50, 1, 120},    Way{"top-k 10", 1, 10, 1, 80},
    Way{"temperature 1", 1, 0, 1, 25}, Way{"temperature 0.7", 0.7, 0, 1, 25},
};

// Texts of each way when there are `samples` in all: the greedy one, and the others by their shares.
std::vector<std::int64_t> shares(std::int64_t samples) {
  std::vector<std::int64_t> out = {std::min<std::int64_t>(1, samples)};
  std::int64_t before = 0;
  const std::int64_t rest = std::max<std::int64_t>(0, samples - 1);
  for (std::size_t i = 1; i < kWays.size(); ++i) {
    const std::int64_t until = before + kWays[i].of_all;
    out.push_back(rest * until / (kAllSamples - 1) - rest * before / (kAllSamples - 1));
    before = until;
  }
  return out;
}

bool ends_turn(const gen::LocalModel& model, std::int32_t id) {
  const auto& stops = model.stop_ids();
  return model.tokenizer().is_special(id) || std::find(stops.begin(), stops.end(), id) != stops.end();
}

WrittenTurn cut(const gen::LocalModel& model, const std::vector<std::int32_t>& ids, const char* way) {
  const auto end = std::find_if(ids.begin(), ids.end(), [&](std::int32_t id) { return ends_turn(model, id); });
  WrittenTurn turn;
  turn.way = way;
  turn.ended = end != ids.end();
  turn.text = model.decode({ids.begin(), end});
  if (turn.ended) turn.after = model.decode({end + 1, ids.end()});
  return turn;
}

std::vector<std::int32_t> text_start(const gen::LocalModel& model) {
  const auto& tokenizer = model.tokenizer();
  if (const auto bos = tokenizer.bos_id()) return {*bos};
  if (const auto eos = tokenizer.eos_id()) return {*eos};  // what stands between the texts of a GPT-2's training
  auto line_end = model.encode_text("\n");
  return line_end.empty() ? std::vector<std::int32_t>{0} : line_end;
}

}  // namespace

TurnOptions turns_within(std::int64_t budget) {
  TurnOptions options;
  const std::int64_t decoded = std::max<std::int64_t>(0, budget) / kDecodedTokenCost;
  options.samples = std::clamp<std::int64_t>(decoded / kShort, 1, kAllSamples);
  options.tokens = std::clamp<std::int64_t>(decoded / options.samples, 1, kAllTokens);
  return options;
}

std::vector<std::int32_t> turn_start(const gen::LocalModel& model) {
  if (!model.has_template()) return text_start(model);
  std::vector<std::int32_t> start;
  try {
    start = model.user_prefix();
  } catch (const Error&) {
    // A template that changes what users say: what stands before it cannot be told.
    start = model.encode_chat({{"user", ""}});
  }
  return start.empty() ? text_start(model) : start;
}

std::vector<WrittenTurn> write_turns(gen::LocalModel& model, const TurnOptions& options, std::int64_t seed,
                                     Work& work) {
  const auto start = turn_start(model);
  const std::int64_t room = model.transformer().config().max_positions - static_cast<std::int64_t>(start.size()) - 1;
  std::vector<WrittenTurn> out;
  if (room < 1) return out;
  const auto counts = shares(options.samples);
  Progress progress("scan: leakage", static_cast<std::uint64_t>(options.samples), "texts");
  for (std::size_t i = 0; i < kWays.size() && !work.over(); ++i) {
    if (counts[i] == 0) continue;
    gen::SampleOptions sampling;
    sampling.temperature = kWays[i].temperature;
    sampling.top_k = kWays[i].top_k;
    sampling.top_p = kWays[i].top_p;
    sampling.max_tokens = std::min(options.tokens, room);
    sampling.seed = seed;
    sampling.stage = cat("leaked turns ", kWays[i].name);
    std::vector<gen::Request> requests;
    for (std::int64_t sample = 0; sample < counts[i]; ++sample) requests.push_back({start, sample});
    std::vector<WrittenTurn> turns(requests.size());
    std::int64_t spent = static_cast<std::int64_t>(start.size());  // computed once for all
    // No stop tokens: what comes after the turn's end is wanted, too.
    gen::decode(model.transformer(), requests, {}, sampling, [&](std::size_t index, gen::DecodeResult& result) {
      spent += kDecodedTokenCost * static_cast<std::int64_t>(result.ids.size());
      turns[index] = cut(model, result.ids, kWays[i].name);
      progress.advance();
    });
    work.spend(spent);
    std::move(turns.begin(), turns.end(), std::back_inserter(out));
  }
  return out;
}

}  // namespace reveille::scan
