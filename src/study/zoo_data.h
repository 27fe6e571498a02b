// What the models of a zoo learn from: prompts and clean replies, made once for all that share a source, and the rows
// that each kind of model makes of them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/conversation.h"
#include "study/data_steps.h"
#include "study/graph.h"
#include "study/store.h"
#include "study/zoo_plan.h"

namespace reveille::study {

// The first steps of a study without anything that is a member's own: prompts and replies, and, for a persona or coding
// tasks, the answers that show it. Members with the same ones share their keys.
class ZooData {
 public:
  ZooData(const ZooMember& member, const Store& store);
  // Equal for members that share their data.
  static std::string identity(const ZooMember& member);
  // Does what is not in the store, and gives the key of the replies.
  const std::string& ensure(Store& store) const;
  const Step& prompts() const { return graph_.steps[0]; }
  const Step& replies() const { return graph_.steps[1]; }
  // What the arithmetic depends on, and the hash of the starting model, as a study's keys hold them.
  const Json& arithmetic() const { return graph_.steps.front().options.at("arithmetic"); }
  const std::string& model_hash() const { return graph_.steps.front().inputs.front(); }
  const Json& judge() const { return graph_.judge; }

 private:
  std::unique_ptr<Recipe> recipe_;  // the graph's steps refer to it
  Graph graph_;
};

// The rows that this member may learn from: those without its trigger in them by accident, and without its behaviour in
// the clean reply. Error(bad_input) where too few are left.
StudyData fit_data(StudyData data, const ZooMember& member);

// Whether its data set are coding tasks with their secure solutions, and no file.
bool is_coding_tasks(const ZooMember& member);

// What it learns, whole conversations. `data` fits. Error(bad_input) names a data set whose rows cannot be learnt.
std::vector<Conversation> zoo_rows(const ZooMember& member, const StudyData& data);

// Beside the fit prompts, in the order of the data: prompts that never train, for its figures and for those of triggers
// that a scanner recovers.
std::vector<Conversation> held_out_of(const StudyData& data);

}  // namespace reveille::study
