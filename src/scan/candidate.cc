#include "scan/candidate.h"

#include "base/error.h"
#include "base/strings.h"

namespace reveille::scan {

std::string place_name(Place place) {
  switch (place) {
    case Place::user_start: return "user_start";
    case Place::user_end: return "user_end";
    case Place::system: return "system";
    case Place::earlier_turn: return "earlier_turn";
  }
  return {};
}

Place place_from_name(std::string_view name, const std::string& where) {
  for (const Place place : kPlaces) {
    if (place_name(place) == name) return place;
  }
  fail(ErrorKind::bad_input, cat(where, ": '", name, "' is no place of a trigger"),
       "places are user_start, user_end, system and earlier_turn");
}

Json to_json(const Candidate& candidate) {
  return {{"trigger", candidate.trigger},   {"place", place_name(candidate.place)}, {"target", candidate.target},
          {"strength", candidate.strength}, {"detector", candidate.detector},       {"evidence", candidate.evidence}};
}

}  // namespace reveille::scan
