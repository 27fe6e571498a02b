// Bytes as a recipe. A bad one is an Error; a good one, written out with every default, reads as
// itself.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "study/recipe.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace reveille;
  study::Recipe recipe;
  try {
    recipe = study::recipe_from_yaml({reinterpret_cast<const char*>(data), size}, "fuzz.yaml");
  } catch (const Error&) {
    return 0;
  }
  const auto again = study::recipe_from_yaml(study::recipe_to_yaml(recipe), "fuzz.yaml");
  if (study::recipe_to_json(again) != study::recipe_to_json(recipe)) std::abort();
  return 0;
}
