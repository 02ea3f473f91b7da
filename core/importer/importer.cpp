#include "core/importer/importer.h"

#include <algorithm>
#include <mutex>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/nearest_name.h"
#include "base/parallel.h"
#include "core/dataset/dataset_writer.h"
#include "core/dataset/normalisation.h"
#include "core/dataset/scene.h"
#include "core/image/folders.h"
#include "core/image/image.h"
#include "core/image/image_files.h"
#include "core/importer/import_plan.h"
#include "experiments/spec/imported.h"

namespace remixer::data {

namespace {

// Reads every image of a plan once and puts down what it finds.
class Importer {
 public:
  explicit Importer(const ImportJob& job) : job_(job), set_(find_published_set(job.kind)) {
    check_name();
    if (!job.boxes.empty()) boxes_ = BoxIndex::open(job.boxes);
    plan_ = plan_import(job, set_, boxes_ ? &*boxes_ : nullptr);
    for (auto& [split, samples] : plan_.splits) {
      for (Sample& sample : samples) all_.push_back(&sample);
    }
    broken_.resize(all_.size());
    hashes_.resize(all_.size());
    mask_hashes_.resize(all_.size());
    sizes_.resize(all_.size());
  }

  ImportReport run() {
    const auto total = static_cast<int64_t>(all_.size());
    parallel_for(
        total, 0,
        [&](int64_t i) {
          const auto index = static_cast<size_t>(i);
          broken_[index] = examine(index);
        },
        [&](int64_t done) {
          if (job_.on_progress) job_.on_progress("reading", done, total);
        });
    refuse_broken();
    drop_broken();
    return write();
  }

 private:
  void check_name() const {
    if (!experiments::is_plain_name(job_.name)) {
      fail_input("name '{}' may hold letters, digits, '_', '-' and '.' only; give another --name",
                 job_.name);
    }
  }

  // Returns what is wrong with one image, its boxes or its mask; nothing where all is well.
  std::string examine(size_t index) {
    Sample& sample = *all_[index];
    const auto bytes = read_image_bytes_if_exists(plan_.root / sample.id);
    if (!bytes) return fmt::format("{} is missing", sample.id);
    try {
      // A small decode goes through the whole file all the same, which finds a torn one.
      decode_image_reduced(*bytes, sample.id, 1);
    } catch (const InputError& error) {
      return error.what();
    }
    sizes_[index] = image_size(*bytes);
    hashes_[index] = sha256_hex(*bytes);
    try {
      std::string problem = boxes_ ? add_boxes(sample, sizes_[index]) : "";
      if (problem.empty() && !job_.masks.empty()) problem = add_mask(index);
      return problem;
    } catch (const InputError& error) {
      return error.what();
    }
  }

  // An image without a box is none of a file's faults: it enters without.
  std::string add_boxes(Sample& sample, ImageSize size) const {
    auto annotation = boxes_->find(sample.id);
    if (!annotation) return {};
    if (annotation->width > 0 &&
        (annotation->width != size.width || annotation->height != size.height)) {
      return fmt::format("{}: the image has {}x{} pixels, its annotation says {}x{}", sample.id,
                         size.width, size.height, annotation->width, annotation->height);
    }
    for (Box& box : annotation->boxes) {
      const Box written = box;
      const std::string problem = fit_box(box, size.width, size.height);
      if (!problem.empty()) {
        return fmt::format("{}: {} ({},{} to {},{} in {}x{} pixels)", sample.id, problem,
                           written.x0, written.y0, written.x1, written.y1, size.width, size.height);
      }
    }
    if (annotation->boxes.empty()) return {};
    sample.box = annotation->boxes.front();
    sample.more_boxes.assign(annotation->boxes.begin() + 1, annotation->boxes.end());
    return {};
  }

  // MASKS/train/cat/7.png is the mask of train/cat/7.jpg; so is one with the image's own suffix.
  std::string add_mask(size_t index) {
    Sample& sample = *all_[index];
    const fs::path image = fs::path(job_.masks) / sample.id;
    const fs::path png = fs::path(image).replace_extension(".png");
    for (const fs::path& path : {png, image}) {
      const auto bytes = read_image_bytes_if_exists(plan_.root / path);
      if (!bytes) continue;
      const GrayImage mask = to_gray(decode_image(*bytes, path.string()));
      const ImageSize size = sizes_[index];
      if (mask.width != size.width || mask.height != size.height) {
        return fmt::format("{} has {}x{} pixels, its image {}x{}", path.string(), mask.width,
                           mask.height, size.width, size.height);
      }
      if (!shows_object(mask)) {
        return fmt::format("{} is empty: it holds no object", path.string());
      }
      sample.mask = path.string();
      mask_hashes_[index] = sha256_hex(*bytes);
      return {};
    }
    return {};
  }

  void refuse_broken() {
    for (const std::string& problem : broken_) {
      if (!problem.empty()) report_.broken.push_back(problem);
    }
    if (report_.broken.empty() || job_.skip_broken) return;
    constexpr size_t kNamed = 20;
    for (size_t i = 1; i < std::min(kNamed, report_.broken.size()); ++i) {
      fmt::print(stderr, "{}\n", report_.broken[i]);
    }
    fail_input(
        "{} of {} images are broken, the first: {}. Mend them, or leave them out with "
        "--skip-broken",
        report_.broken.size(), all_.size(), report_.broken.front());
  }

  void drop_broken() {
    size_t index = 0;
    for (auto& [split, samples] : plan_.splits) {
      std::vector<Sample> kept;
      for (Sample& sample : samples) {
        if (broken_[index].empty()) {
          known_[sample.id] = hashes_[index];
          if (!sample.mask.empty()) known_[sample.mask] = mask_hashes_[index];
          note_size(sizes_[index]);
          report_.boxes += sample.box.has_value();
          report_.masks += !sample.mask.empty();
          kept.push_back(std::move(sample));
        }
        ++index;
      }
      samples = std::move(kept);
      report_.images[split] = static_cast<int64_t>(samples.size());
    }
  }

  // Side of all images so far, 0 once they differ or are not square; -1 before the first.
  void note_size(ImageSize size) {
    const int side = size.width == size.height ? size.width : 0;
    side_ = side_ == -1 || side_ == side ? side : 0;
  }

  void take_name() const {
    for (const fs::path& folder : experiments::folders_named(job_.workspace, job_.name)) {
      if (folder != report_.folder) take_name_from(folder);
    }
  }

  ImportReport write() {
    const fs::path place = job_.workspace / "datasets" / job_.name;
    DatasetWriter writer(place, plan_.classes, std::max(side_, 0), {});
    std::map<std::string, std::vector<int64_t>> counts;
    for (const auto& [split, samples] : plan_.splits) {
      writer.add_split(split, samples);
      auto& by_class = counts[split];
      by_class.assign(plan_.classes.size(), 0);
      for (const Sample& sample : samples) ++by_class[static_cast<size_t>(sample.label)];
    }
    writer.know_hashes(std::move(known_));
    writer.describe("root", plan_.root.string());
    writer.describe("name", job_.name);
    writer.describe("made_by", {{"import", set_.name}});
    writer.name_by_content(true);
    refuse_taken_name(writer);
    report_.folder = writer.publish(kImageNetMean, kImageNetDeviation);
    if (job_.replace) take_name();
    report_.differences = differences(set_, counts, plan_.classes);
    report_.differences.insert(report_.differences.begin(), plan_.notes.begin(), plan_.notes.end());
    report_.classes = plan_.classes;
    report_.released_count = plan_.released_count;
    report_.content_hash =
        Dataset::open(report_.folder, plan_.splits.begin()->first).content_hash();
    return std::move(report_);
  }

  // Another dataset of that name; the same one is imported again as often as one likes.
  void refuse_taken_name(DatasetWriter& writer) const {
    if (job_.replace) return;
    const fs::path own = writer.complete(kImageNetMean, kImageNetDeviation);
    for (const fs::path& folder : experiments::folders_named(job_.workspace, job_.name)) {
      if (folder.filename() == own.filename()) continue;
      fail_input(
          "another dataset ({}) is called '{}' already; choose another --name, or --replace "
          "it",
          folder.string(), job_.name);
    }
  }

  const ImportJob& job_;
  const PublishedSet& set_;
  std::optional<BoxIndex> boxes_;
  ImportPlan plan_;
  std::vector<Sample*> all_;  // of the plan's splits, in their order
  std::vector<std::string> broken_, hashes_, mask_hashes_;
  std::vector<ImageSize> sizes_;
  std::map<std::string, std::string> known_;
  int side_ = -1;
  ImportReport report_;
};

}  // namespace

ImportReport import_dataset(const ImportJob& job) {
  return Importer(job).run();
}

}  // namespace remixer::data
