// SPDX-License-Identifier: Apache-2.0
#include "engine/model/model.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/model/crc32.h"
#include "engine/model/format.h"
#include "engine/model/text.h"

namespace bitpose {

using format::SectionKind;

/// Fills a Model from its bytes.
class ModelReader {
 public:
  explicit ModelReader(Model* model) : model_(*model), file_(model->bytes_.span()) {}

  Status read();

 private:
  struct Entry {
    format::Section record;
    std::string what;  // "section 3", for messages.
    std::string_view name;
    std::span<const std::byte> bytes;

    bool is(SectionKind kind) const { return record.kind == static_cast<uint32_t>(kind); }
  };

  Status read_header();
  Status read_sections();
  Status find_one(SectionKind kind, const char* what, std::span<const std::byte>* bytes) const;
  Status read_names();
  Status read_networks();
  Status read_metadata(const Entry& section);
  Status read_other();
  Status check_unique(SectionKind kind) const;

  Model& model_;
  std::span<const std::byte> file_;
  format::Header header_{};
  std::vector<Entry> sections_;
  Strings strings_;
  std::span<const std::byte> data_;
};

Status ModelReader::read() {
  Status status = read_header();
  if (status.ok()) status = read_sections();
  if (status.ok()) status = read_names();
  if (status.ok()) status = find_one(SectionKind::kData, "data", &data_);
  if (status.ok()) status = read_networks();
  if (status.ok()) status = read_other();
  return status;
}

Status ModelReader::read_header() {
  if (file_.size() < sizeof(header_)) {
    return invalid_model("header: the file has " + std::to_string(file_.size()) +
                         " bytes, expected at least " + std::to_string(sizeof(header_)));
  }
  std::memcpy(&header_, file_.data(), sizeof(header_));
  if (std::memcmp(header_.magic, format::kMagic, sizeof(format::kMagic)) != 0) {
    return invalid_model("header: is not a bitpose model (the first bytes are not 'bitpose')");
  }
  if (header_.version != format::kVersion) {
    return unsupported("header: version " + std::to_string(header_.version) +
                       ", this build reads version " + std::to_string(format::kVersion));
  }
  const Status status = check_fields(format::kHeaderFields, &header_);
  if (!status.ok()) return invalid_model("header: " + status.message());
  if (header_.file_bytes != file_.size()) {
    return invalid_model("header: file_bytes is " + std::to_string(header_.file_bytes) +
                         ", the file has " + std::to_string(file_.size()));
  }
  if (crc32(file_.subspan(sizeof(header_))) != header_.crc32) {
    return invalid_model("header: the bytes do not have the checksum that it states: damaged file");
  }
  return {};
}

Status ModelReader::read_sections() {
  const uint64_t table_end =
      sizeof(header_) + uint64_t{header_.section_count} * sizeof(format::Section);
  if (table_end > file_.size()) {
    return invalid_model("section table: ends at " + std::to_string(table_end) + ", the file has " +
                         std::to_string(file_.size()) + " bytes");
  }
  uint64_t end = table_end;
  sections_.resize(header_.section_count);
  for (size_t i = 0; i < sections_.size(); ++i) {
    Entry& entry = sections_[i];
    entry.what = "section " + std::to_string(i);
    std::memcpy(&entry.record, file_.data() + sizeof(header_) + i * sizeof(format::Section),
                sizeof(format::Section));
    const format::Section& record = entry.record;
    const Status status = check_fields(format::kSectionFields, &record);
    if (!status.ok()) return invalid_model(entry.what + ": " + status.message());
    if (record.offset % format::kAlignment != 0 || record.offset < end ||
        record.offset > file_.size() || record.bytes > file_.size() - record.offset) {
      return invalid_model(entry.what + ": " + std::to_string(record.bytes) + " bytes at offset " +
                           std::to_string(record.offset) + " are not aligned to 64, start before " +
                           std::to_string(end) + " or leave the file of " +
                           std::to_string(file_.size()) + " bytes");
    }
    end = record.offset + record.bytes;
    entry.bytes = file_.subspan(record.offset, record.bytes);
  }
  return {};
}

Status ModelReader::find_one(SectionKind kind, const char* what,
                             std::span<const std::byte>* bytes) const {
  const auto of_kind = [kind](const Entry& entry) { return entry.is(kind); };
  const auto count = std::count_if(sections_.begin(), sections_.end(), of_kind);
  if (count != 1) {
    return invalid_model("there are " + std::to_string(count) + " " + what +
                         " sections, expected one");
  }
  *bytes = std::find_if(sections_.begin(), sections_.end(), of_kind)->bytes;
  return {};
}

Status ModelReader::read_names() {
  std::span<const std::byte> text;
  Status status = find_one(SectionKind::kStrings, "strings", &text);
  if (!status.ok()) return status;
  strings_ = Strings(text);
  for (Entry& entry : sections_) {
    status =
        strings_.get(entry.record.name_offset, entry.record.name_length, entry.what, &entry.name);
    if (!status.ok()) return status;
  }
  status = check_unique(SectionKind::kNetwork);
  return status.ok() ? check_unique(SectionKind::kAsset) : status;
}

Status ModelReader::check_unique(SectionKind kind) const {
  std::vector<std::string_view> names;
  for (const Entry& entry : sections_) {
    if (!entry.is(kind)) continue;
    if (entry.name.empty()) return invalid_model(entry.what + ": has no name");
    names.push_back(entry.name);
  }
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice == names.end()) return {};
  return invalid_model("two sections of one kind are named '" + std::string(*twice) + "'");
}

Status ModelReader::read_networks() {
  for (const Entry& entry : sections_) {
    if (!entry.is(SectionKind::kNetwork)) continue;
    Network& network = model_.networks_.emplace_back();
    Status status = read_network(entry.name, entry.bytes, strings_, data_, &network);
    if (!status.ok()) return status;
  }
  if (!model_.networks_.empty()) return {};
  return invalid_model("there is no network section");
}

Status ModelReader::read_other() {
  for (const Entry& entry : sections_) {
    switch (static_cast<SectionKind>(entry.record.kind)) {
      case SectionKind::kStrings:
      case SectionKind::kData:
      case SectionKind::kNetwork:
        break;
      case SectionKind::kMetadata: {
        Status status = read_metadata(entry);
        if (!status.ok()) return status;
        break;
      }
      case SectionKind::kAsset:
        model_.assets_.push_back({entry.name, entry.bytes});
        break;
      default:
        if (entry.record.optional != 0) break;
        return unsupported(entry.what + ": this build does not know kind " +
                           std::to_string(entry.record.kind));
    }
  }
  return {};
}

Status ModelReader::read_metadata(const Entry& section) {
  struct Pair {
    format::StringRef key, value;
  };
  if (section.bytes.size() % sizeof(Pair) != 0) {
    return invalid_model(section.what + " (metadata): " + std::to_string(section.bytes.size()) +
                         " bytes, expected a multiple of " + std::to_string(sizeof(Pair)));
  }
  for (size_t offset = 0; offset < section.bytes.size(); offset += sizeof(Pair)) {
    Pair pair;
    std::memcpy(&pair, section.bytes.data() + offset, sizeof(pair));
    MetadataEntry entry;
    const std::string what = section.what + " (metadata)";
    Status status = strings_.get(pair.key.offset, pair.key.length, what, &entry.key);
    if (!status.ok()) return status;
    status = strings_.get(pair.value.offset, pair.value.length, what, &entry.value);
    if (!status.ok()) return status;
    if (!model_.metadata_.empty() && entry.key <= model_.metadata_.back().key) {
      return invalid_model(what + ": keys are not in ascending order at '" +
                           std::string(entry.key) + "'");
    }
    model_.metadata_.push_back(entry);
  }
  return {};
}

Status Model::load(const std::string& path, std::shared_ptr<const Model>* model) {
  ModelBytes bytes;
  Status status = ModelBytes::map(path, &bytes);
  if (!status.ok()) return status;
  status = load(std::move(bytes), model);
  if (status.ok()) return status;
  return {status.code(), path + ": " + status.message()};
}

Status Model::load(ModelBytes bytes, std::shared_ptr<const Model>* model) {
  std::shared_ptr<Model> loaded(new Model);
  loaded->bytes_ = std::move(bytes);
  Status status = ModelReader(loaded.get()).read();
  if (status.ok()) *model = std::move(loaded);
  return status;
}

const Network* Model::find_network(std::string_view name) const {
  if (name.empty()) return &networks_.front();
  for (const Network& network : networks_) {
    if (network.name == name) return &network;
  }
  return nullptr;
}

Status Model::find_network(std::string_view name, const Network** network) const {
  *network = find_network(name);
  if (*network != nullptr) return {};
  std::vector<std::string_view> names;
  names.reserve(networks_.size());
  for (const Network& known : networks_) names.push_back(known.name);
  return invalid_argument("the model has no network '" + std::string(name) + "'; it has " +
                          quoted(names));
}

}  // namespace bitpose
