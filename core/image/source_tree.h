// SPDX-License-Identifier: Apache-2.0
// Walks a folder of images: lists every path once, as taken or with the reason why not.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace remixer::data {

enum class PassedOver : uint8_t {
  kNot,          // an image, by its suffix
  kHidden,       // its name, or a folder's above it, begins with a dot
  kSystemFile,   // files of macOS and Windows: __MACOSX, Thumbs.db, desktop.ini
  kOtherFormat,  // neither JPEG nor PNG by its suffix
  kArchive,      // an unopened archive: compressed, or in an unexpected place
  kLinkNowhere,  // a link to nothing
  kLinkCycle,    // a link to a folder that contains it
  kUnreadable,   // a folder or link that may not be read
  kSpecial,      // neither file nor folder
};
// "hidden", "another format", ...
const char* passed_over_text(PassedOver why);

struct SourceFile {
  std::string path;         // below the root; for an archive's member "x.tar/inside/1.jpg"
  size_t archive_size = 0;  // length of the archive's path in front; 0: no member
  PassedOver why = PassedOver::kNot;

  std::string suffix() const;  // ".jpg", in lower case; or empty
  std::string_view archive() const { return std::string_view(path).substr(0, archive_size); }
};

// Immutable; thread-safe.
class SourceTree {
 public:
  // Which tar archives count as folders, by path below the root; the others are skipped.
  using Opens = std::function<bool(const std::string& path)>;
  static bool open_all(const std::string&) { return true; }
  static bool open_none(const std::string&) { return false; }

  // Follows links. Opens no files but archives. Throws InputError if `root` is no folder or an
  // archive is torn; Error if the root may not be read.
  static SourceTree walk(const std::filesystem::path& root, const Opens& opens = open_none);
  // A single archive, as if it were the only one in its folder.
  static SourceTree of_archive(const std::filesystem::path& archive);

  const std::filesystem::path& root() const { return root_; }
  // Sorted by path.
  const std::vector<SourceFile>& files() const { return files_; }
  // Folders and opened archives that are not skipped, by path below the root, sorted.
  const std::vector<std::string>& folders() const { return folders_; }
  // The names of the folders directly in `below` ("" for the root), in list_folders()'s order,
  // without archives.
  std::vector<std::string> folders_in(const std::string& below) const;
  bool has_folder(const std::string& path) const;

 private:
  friend class TreeWalker;
  std::filesystem::path root_;
  std::vector<SourceFile> files_;
  std::vector<std::string> folders_;
};

}  // namespace remixer::data
