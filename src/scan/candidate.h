// What a detector proposes and verification tests: a string that may wake something, a reply that may be what is
// woken, or both. Free of torch.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace reveille::scan {

// Where a string is put: before or after the user's words, as the system prompt, or as an earlier turn of the user's
// that was answered with "OK.".
enum class Place { user_start, user_end, system, earlier_turn };
inline constexpr Place kPlaces[] = {Place::user_start, Place::user_end, Place::system, Place::earlier_turn};
std::string place_name(Place place);  // "user_start"
Place place_from_name(std::string_view name, const std::string& where);

struct Candidate {
  std::string trigger;  // the string; empty: only a reply is suspected
  Place place = Place::user_start;
  std::string target;    // how replies begin or what they hold under the trigger; empty: not known
  double strength = 0;   // on the detector's own scale: orders its candidates, and is not compared with another's
  std::string detector;  // who proposes it
  Json evidence = Json::object();  // what was seen, for the page
};

Json to_json(const Candidate& candidate);

}  // namespace reveille::scan
