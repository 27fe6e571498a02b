// The content-addressed store of finished steps.
//
// A step's folder is named by the hash of (name, version, options, inputs). It is worked on as
// KEY.partial and renamed to KEY when it is whole, so a finished step is never computed twice and
// a killed one goes on from what its folder holds.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/json.h"

namespace reveille::study {

class Store {
 public:
  explicit Store(std::filesystem::path root);
  const std::filesystem::path& root() const { return root_; }

  bool has(const std::string& key) const;
  std::filesystem::path folder(const std::string& key) const;          // of a finished step
  std::filesystem::path partial_folder(const std::string& key) const;  // where work goes on

  // Makes the partial folder the finished one, with `about` in it as step.json.
  void commit(const std::string& key, const Json& about);

  // Keys in the store that are not among `needed`, with their sizes; `remove` frees them.
  struct Unneeded {
    std::string key, name;
    std::uintmax_t bytes;
  };
  std::vector<Unneeded> unneeded(const std::vector<std::string>& needed) const;
  void remove(const std::string& key);

 private:
  std::filesystem::path root_;
};

// Held while a step is worked on, so that a second study with the same store waits for it instead of writing the same
// folder. Waiting says so, and Ctrl-C ends it. The lock goes with the process, however that ends.
class StoreLock {
 public:
  StoreLock(const Store& store, const std::string& key);
  ~StoreLock();
  StoreLock(const StoreLock&) = delete;
  StoreLock& operator=(const StoreLock&) = delete;

 private:
  std::filesystem::path path_;
  int file_ = -1;
};

// The key of a step: SHA-256 over its canonical JSON, shortened to 24 hex digits.
std::string step_key(const std::string& name, int version, const Json& options, const std::vector<std::string>& inputs);

std::uintmax_t folder_bytes(const std::filesystem::path& folder);

// Puts a file of the store into a run folder: a hard link where the file system allows it, else a copy.
void place_file(const std::filesystem::path& from, const std::filesystem::path& to);
void place_folder(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace reveille::study
