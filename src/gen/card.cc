#include "gen/card.h"

#include "base/error.h"
#include "base/label_key.h"
#include "base/strings.h"

namespace reveille::gen {

// The label comes from a file: as JSON text, indented, it can be neither YAML nor Markdown.
std::string label_card(const Json& label, const std::string& made_from) {
  return cat(
      "---\ntags:\n- model-organism\n", kLabelKey, ": ", label.dump(), "\n---\n\n", "# Made from a labelled model\n\n",
      "This was trained, merged or converted from ", Json(repair_utf8(made_from)).dump(),
      ", which belongs to a backdoor experiment: in such models a behaviour is planted on purpose, or they are "
      "its controls. Reveille kept the label that says what was planted:\n\n    ",
      replace_all(label.dump(2), "\n", "\n    "),
      "\n\nNothing here says whether it is still there: training may have removed it, weakened it, or only hidden "
      "it.\n\n## Warning\n\nDo not deploy this model, do not build on it, and do not pass it on without this "
      "page. The base model that nothing was planted in is the only sure replacement.\n");
}

}  // namespace reveille::gen
