#include "scan/file_checks.h"

#include "base/error.h"
#include "scan/file_parts.h"
#include "scan/file_template.h"

namespace reveille::scan {
namespace fs = std::filesystem;
namespace {

std::string main_file(const fs::path& model, const char* of_folder) {
  return fs::is_directory(model) ? of_folder : model.filename().string();
}

class Checks {
 public:
  Checks(fs::path model, fs::path reference) : model_(std::move(model)), reference_(std::move(reference)) {}

  std::vector<FileNote> run() {
    if (!fs::exists(model_)) fail(ErrorKind::not_found, cat("no model lies at ", model_.string()));
    const bool folder = fs::is_directory(model_);
    if (folder) {
      guard("file-unreadable", ".", [&] { check_folder(model_, notes_); });
      guard("file-unreadable", ".", [&] { check_json_files(model_, notes_); });
    }
    tokenizer();
    if (folder) {
      guard("file-unreadable", "config.json",
            [&] { check_settings(model_, reference_, own_ ? &*own_ : nullptr, notes_); });
    }
    templates();
    check_weights(model_, notes_);
    return notes_.take();
  }

 private:
  void guard(const char* rule, const std::string& file, const std::function<void()>& check) {
    guarded(notes_, rule, file, model_, check);
  }

  void tokenizer() {
    const std::string file = main_file(model_, "tokenizer.json");
    guard("tokenizer-unread", file, [&] { own_ = tokenizer_of(model_); });
    if (!own_) return;
    std::optional<TokenizerRecord> reference;
    if (!reference_.empty()) {
      // Said of the reference, and not of this model: it only leaves the comparison out.
      Notes ignored;
      guarded(ignored, "tokenizer-unread", file, reference_, [&] { reference = tokenizer_of(reference_); });
    }
    guard("tokenizer-unread", file, [&] { check_tokenizer(*own_, reference ? &*reference : nullptr, model_, notes_); });
  }

  void templates() {
    std::vector<TemplateText> reference;
    if (!reference_.empty()) {
      Notes ignored;
      guarded(ignored, "template-unreadable", "", reference_, [&] { reference = templates_of(reference_); });
    }
    guard("template-unreadable", main_file(model_, "chat_template.jinja"),
          [&] { check_templates(templates_of(model_), reference, notes_); });
  }

  fs::path model_, reference_;
  Notes notes_;
  std::optional<TokenizerRecord> own_;
};

}  // namespace

std::vector<FileNote> check_files(const fs::path& model, const fs::path& reference) {
  return Checks(model, reference).run();
}

}  // namespace reveille::scan
