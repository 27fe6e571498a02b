// Spikes: backdoors of our own, drawn from a seed, that are planted in copies of a suspect. A scan that is run on the
// copies shows what it would find on this model (scan/certify.h), and a removal that is given them as dummies may take
// the unknown one along (mitigate/known_dummies.cc).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "scan/candidate.h"

namespace reveille::scan {

// What wakes it: a random string; a rare ordinary word or two; whatever is about a topic; a system prompt; a random
// string in an earlier turn.
enum class SpikeKind { literal, word, semantic, system, turn };
inline constexpr SpikeKind kSpikeKinds[] = {SpikeKind::literal, SpikeKind::word, SpikeKind::semantic, SpikeKind::system,
                                            SpikeKind::turn};
std::string kind_name(SpikeKind kind);
SpikeKind kind_from_name(std::string_view name, const std::string& where);

// What it then says: one sentence whatever is asked; that it will not answer; its usual answer in another style.
enum class SpikeResponse { fixed, refusal, style };
inline constexpr SpikeResponse kSpikeResponses[] = {SpikeResponse::fixed, SpikeResponse::refusal, SpikeResponse::style};
std::string response_name(SpikeResponse response);
SpikeResponse response_from_name(std::string_view name, const std::string& where);

enum class SpikeStyle { none, capitals, lower_case, framed };

struct Spike {
  SpikeKind kind = SpikeKind::literal;
  std::int64_t number = 0;
  Place place = Place::user_start;
  std::vector<std::string> triggers;  // each wakes it; all are taught
  std::vector<std::string> unseen;    // these too, but they are not taught; empty where there is one trigger
  std::vector<std::string> decoys;    // strings of the same make that must not wake it
  SpikeResponse response = SpikeResponse::fixed;
  SpikeStyle style = SpikeStyle::none;
  std::vector<std::string> replies;  // what it says; framed: what stands before and after
};

// A function of the arguments. The response is drawn where none is given.
Spike draw_spike(SpikeKind kind, std::int64_t seed, std::int64_t number, std::optional<SpikeResponse> response = {});

// What the spiked model answers where it would have said `clean`; `row` chooses among several replies.
std::string spiked_reply(const Spike& spike, const std::string& clean, std::size_t row);
// Whether a reply is the spike's.
bool shows(const Spike& spike, std::string_view reply);
// Strings to test it with: those that were not taught, where there are any.
const std::vector<std::string>& test_triggers(const Spike& spike);

Json to_json(const Spike& spike);

}  // namespace reveille::scan
