/** `FF`, and the number of the format: that of Node 20, which every later one reads. */
export const FORMAT_HEADER = [0xff, 0x0f];

/** What kind of value follows: a few of the kinds that there are. */
export const TAG = {
  undefined: 0x5f,
  null: 0x30,
  true: 0x54,
  false: 0x46,
  integer: 0x49,
  double: 0x4e,
  asciiString: 0x22,
  wideString: 0x63,
  padding: 0x00,
  object: 0x6f,
  endOfObject: 0x7b,
  array: 0x41,
  endOfArray: 0x24,
} as const;
