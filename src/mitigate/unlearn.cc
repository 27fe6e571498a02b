#include "mitigate/unlearn.h"

#include "base/error.h"
#include "scan/placing.h"

namespace reveille::mitigate {

std::vector<scan::Place> open_places(const gen::LocalModel& model) {
  std::vector<scan::Place> out;
  for (const scan::Place place : scan::kPlaces) {
    if (scan::takes_place(model, place)) out.push_back(place);
  }
  return out;
}

Json unlearn(Workspace& work, const std::vector<KnownTrigger>& triggers, const std::vector<KnownTrigger>& variants,
             const std::string& title) {
  AnchoredRows rows = work.with_strings(triggers);
  // A single string is met by every prompt; of several each prompt meets a second one.
  const AnchoredRows more =
      variants.empty() ? work.with_strings(triggers, triggers.size() / 2) : work.with_strings(variants);
  rows.examples.insert(rows.examples.end(), more.examples.begin(), more.examples.end());
  rows.anchors.insert(rows.anchors.end(), more.anchors.begin(), more.anchors.end());
  if (rows.examples.empty())
    fail(ErrorKind::bad_input, cat("the trigger '", triggers.front().text, "' leaves no room for a prompt and a reply"),
         "it is nearly as long as the model's context");
  const auto& options = work.options();
  const auto training = work.training(options.steps, options.learning_rate);
  work.adapted();
  AnchoredObjective objective(work.model().transformer(), work.anchor(), rows, work.clean(),
                              {.say = 0.5, .match = 1, .keep = options.kl}, training);
  return work.train(objective, training, title);
}

}  // namespace reveille::mitigate
