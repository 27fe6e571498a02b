// What the tests of tensor files share.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "base/temp_folder_testing.h"

namespace reveille::io::testing {

// The error that `work` throws, or one that says that it threw none.
Error error_of(const std::function<void()>& work);

// A file of tests/reference/io.
std::filesystem::path fixture(const std::string& name);

std::span<const std::byte> as_bytes(const std::string& text);

// What tests/reference/check_io.py prints; nothing when Python or a package is missing, in
// which case the test should be skipped.
std::optional<Json> ask_reference(const std::string& arguments);

// Equal types, shapes and bits (NaN included).
bool same_bits(const at::Tensor& a, const at::Tensor& b);
std::string sha256_of(const at::Tensor& tensor);

// The embedded model's file in the build's environment; "" when it is not there.
std::string embedded_model();

}  // namespace reveille::io::testing
