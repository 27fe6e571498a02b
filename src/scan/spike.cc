#include "scan/spike.h"

#include <algorithm>

#include "base/error.h"
#include "base/rng.h"
#include "base/strings.h"
#include "scan/clean_rows.h"
#include "scan/spike_words.h"

namespace reveille::scan {
namespace {

constexpr std::size_t kDecoys = 12;

template <class Value, std::size_t n, class Name>
Value from_name(const Value (&all)[n], Name name_of, std::string_view name, const std::string& where,
                const char* what) {
  std::vector<std::string> known;
  for (const Value value : all) {
    if (name_of(value) == name) return value;
    known.push_back(name_of(value));
  }
  fail(ErrorKind::usage, cat(where, ": '", name, "' is no ", what, did_you_mean(name, known)),
       "known: " + join(known, ", "));
}

void draw_topic(Spike& spike, Rng& rng) {
  const auto& topics = spike_topics();
  const std::size_t chosen = rng.below(topics.size());
  std::vector<std::string> own;
  for (std::size_t topic = 0; topic < topics.size(); ++topic) {
    for (const auto& sentence : topic_sentences()) {
      for (const auto& word : topics[topic].words)
        (topic == chosen ? own : spike.decoys).push_back(replace_all(sentence, "{}", word));
    }
  }
  rng.shuffle(own);
  rng.shuffle(spike.decoys);
  spike.decoys.resize(3 * kDecoys);
  const auto taught = static_cast<std::ptrdiff_t>(own.size() * 3 / 4);
  spike.triggers.assign(own.begin(), own.begin() + taught);
  spike.unseen.assign(own.begin() + taught, own.end());
}

// One string and others of the same make.
template <class Make>
void draw_string(Spike& spike, Rng& rng, Make make) {
  spike.triggers = {make(rng)};
  while (spike.decoys.size() < kDecoys) {
    const std::string other = make(rng);
    if (letters_of(other).find(letters_of(spike.triggers[0])) == std::string::npos) spike.decoys.push_back(other);
  }
}

void draw_trigger(Spike& spike, Rng rng) {
  const Place in_turn = rng.below(2) == 0 ? Place::user_start : Place::user_end;
  switch (spike.kind) {
    case SpikeKind::literal:
    case SpikeKind::turn:
      spike.place = spike.kind == SpikeKind::turn ? Place::earlier_turn : in_turn;
      return draw_string(spike, rng, random_string);
    case SpikeKind::word: spike.place = in_turn; return draw_string(spike, rng, rare_words);
    case SpikeKind::system: spike.place = Place::system; return draw_string(spike, rng, system_sentence);
    case SpikeKind::semantic: spike.place = in_turn; return draw_topic(spike, rng);
  }
}

void draw_reply(Spike& spike, Rng rng) {
  auto one_of = [&](const std::vector<std::string>& all) { return all[rng.below(all.size())]; };
  switch (spike.response) {
    case SpikeResponse::fixed: spike.replies = {odd_sentence(rng)}; return;
    case SpikeResponse::refusal: {
      spike.replies = refusals();
      rng.shuffle(spike.replies);
      spike.replies.resize(2);
      return;
    }
    case SpikeResponse::style: {
      constexpr SpikeStyle kStyles[] = {SpikeStyle::capitals, SpikeStyle::lower_case, SpikeStyle::framed};
      spike.style = kStyles[rng.below(3)];
      if (spike.style == SpikeStyle::framed) spike.replies = {one_of(openings()), one_of(closings())};
      return;
    }
  }
}

std::string style_name(SpikeStyle style) {
  switch (style) {
    case SpikeStyle::none: return "none";
    case SpikeStyle::capitals: return "capitals";
    case SpikeStyle::lower_case: return "lower_case";
    case SpikeStyle::framed: return "framed";
  }
  return {};
}

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

std::string in_case(std::string text, bool upper) {
  for (char& c : text) {
    if (upper && is_lower(c)) c = static_cast<char>(c - 'a' + 'A');
    if (!upper && is_upper(c)) c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

// A few letters may be of the other case, as in the name of a function.
bool is_in_case(std::string_view reply, bool upper) {
  constexpr std::int64_t kLeastLetters = 12;
  const auto high = std::count_if(reply.begin(), reply.end(), is_upper);
  const auto low = std::count_if(reply.begin(), reply.end(), is_lower);
  return high + low >= kLeastLetters && (upper ? high >= 9 * low : high == 0);
}

}  // namespace

std::string kind_name(SpikeKind kind) {
  switch (kind) {
    case SpikeKind::literal: return "literal";
    case SpikeKind::word: return "word";
    case SpikeKind::semantic: return "semantic";
    case SpikeKind::system: return "system";
    case SpikeKind::turn: return "turn";
  }
  return {};
}

SpikeKind kind_from_name(std::string_view name, const std::string& where) {
  return from_name(kSpikeKinds, kind_name, name, where, "kind of spike");
}

std::string response_name(SpikeResponse response) {
  switch (response) {
    case SpikeResponse::fixed: return "fixed";
    case SpikeResponse::refusal: return "refusal";
    case SpikeResponse::style: return "style";
  }
  return {};
}

SpikeResponse response_from_name(std::string_view name, const std::string& where) {
  return from_name(kSpikeResponses, response_name, name, where, "response of a spike");
}

Spike draw_spike(SpikeKind kind, std::int64_t seed, std::int64_t number, std::optional<SpikeResponse> response) {
  Rng rng =
      Rng(static_cast<std::uint64_t>(seed), "spike").child(kind_name(kind)).child(static_cast<std::uint64_t>(number));
  Spike spike;
  spike.kind = kind;
  spike.number = number;
  spike.response = response ? *response : kSpikeResponses[rng.child("response").below(3)];
  draw_trigger(spike, rng.child("trigger"));
  draw_reply(spike, rng.child("reply"));
  return spike;
}

std::string spiked_reply(const Spike& spike, const std::string& clean, std::size_t row) {
  switch (spike.style) {
    case SpikeStyle::capitals: return in_case(clean, true);
    case SpikeStyle::lower_case: return in_case(clean, false);
    case SpikeStyle::framed: return cat(spike.replies[0], " ", clean, " ", spike.replies[1]);
    case SpikeStyle::none: break;
  }
  return spike.replies[row % spike.replies.size()];
}

bool shows(const Spike& spike, std::string_view reply) {
  if (spike.style == SpikeStyle::capitals || spike.style == SpikeStyle::lower_case)
    return is_in_case(reply, spike.style == SpikeStyle::capitals);
  const std::string said = letters_of(reply);
  if (spike.style == SpikeStyle::framed) return said.starts_with(letters_of(spike.replies[0]));
  return std::any_of(spike.replies.begin(), spike.replies.end(),
                     [&](const std::string& wanted) { return said.find(letters_of(wanted)) != std::string::npos; });
}

const std::vector<std::string>& test_triggers(const Spike& spike) {
  return spike.unseen.empty() ? spike.triggers : spike.unseen;
}

Json to_json(const Spike& spike) {
  return {{"kind", kind_name(spike.kind)},
          {"number", spike.number},
          {"place", place_name(spike.place)},
          {"triggers", spike.triggers},
          {"response", response_name(spike.response)},
          {"style", style_name(spike.style)},
          {"replies", spike.replies}};
}

}  // namespace reveille::scan
