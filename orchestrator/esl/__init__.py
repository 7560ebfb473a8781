"""The edge towards FreeSWITCH: frames and facts in, instructions out. Kept empty so that a part loads alone."""
