/** Marks plain data that stands for an instance. A value that has the mark itself is wrapped under an empty name. */
export const CLASS_MARK = '$bulwark:class';
