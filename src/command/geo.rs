//! Defines the commands for places on the earth, which are sorted sets.

use super::args::Args;
use super::flag::{DENYOOM, READONLY, WRITE};
use super::sorted_set::{self, zadd};
use super::sorting::sorted_places;
use super::{Answer, Begin, Command, Find, KeySpec, Run};
use crate::error::Error;
use crate::number::format_f;
use crate::resp::Reply;
use crate::server::Context;
use crate::value::geo::{self, Area, Position, Shape};
use crate::value::sorted_set::{Bounds, SortedSet};

/// The commands for places.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "geoadd",
        arity: -5,
        flags: WRITE | DENYOOM,
        categories: "geo",
        keys: &[KeySpec::at(1, "RW update")],
        since: "3.2.0",
        group: "geo",
        summary: "Add one or more geospatial items in the geospatial index represented using a sorted set",
        complexity: "O(log(N)) for each item added, where N is the number of elements in the sorted set.",
        history: &[("6.2.0", "Added the `CH`, `NX` and `XX` options.")],
        syntax: "key:key#0 condition(NX|XX)?@6.2.0 CH/change?@6.2.0 longitude_latitude_member{longitude:double latitude:double member:string}*",
        run: Run::Reply(geoadd),
        ..Command::EMPTY
    },
    Command {
        name: "geodist",
        arity: -4,
        flags: READONLY,
        categories: "geo",
        keys: &[KeySpec::at(1, "RO access")],
        since: "3.2.0",
        group: "geo",
        summary: "Returns the distance between two members of a geospatial index",
        complexity: "O(log(N))",
        syntax: "key:key#0 member1:string member2:string unit(M|KM|FT|MI)?",
        run: Run::Reply(geodist),
        ..Command::EMPTY
    },
    Command {
        name: "geohash",
        arity: -2,
        flags: READONLY,
        categories: "geo",
        keys: &[KeySpec::at(1, "RO access")],
        since: "3.2.0",
        group: "geo",
        summary: "Returns members of a geospatial index as standard geohash strings",
        complexity: "O(log(N)) for each member requested, where N is the number of elements in the sorted set.",
        syntax: "key:key#0 member:string*",
        run: Run::Reply(geohash),
        ..Command::EMPTY
    },
    Command {
        name: "geopos",
        arity: -2,
        flags: READONLY,
        categories: "geo",
        keys: &[KeySpec::at(1, "RO access")],
        since: "3.2.0",
        group: "geo",
        summary: "Returns longitude and latitude of members of a geospatial index",
        complexity: "O(N) where N is the number of members requested.",
        syntax: "key:key#0 member:string*",
        run: Run::Reply(geopos),
        ..Command::EMPTY
    },
    Command {
        name: "georadius",
        arity: -6,
        flags: WRITE | DENYOOM,
        categories: "geo",
        keys: &[
            KeySpec::at(1, "RO access"),
            KeySpec {
                notes: "",
                flags: "OW update",
                begin: Begin::Keyword("STORE", 6),
                find: Find::Range { last: 0, step: 1, limit: 0 },
            },
            KeySpec {
                notes: "",
                flags: "OW update",
                begin: Begin::Keyword("STOREDIST", 6),
                find: Find::Range { last: 0, step: 1, limit: 0 },
            },
        ],
        since: "3.2.0",
        group: "geo",
        summary: "Query a sorted set representing a geospatial index to fetch members matching a given maximum distance from a point",
        complexity: "O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index.",
        doc_flags: "deprecated",
        deprecated: Some((
            "6.2.0",
            "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument",
        )),
        history: &[
            ("6.2.0", "Added the `ANY` option for `COUNT`."),
            ("7.0.0", "Added support for uppercase unit names."),
        ],
        syntax: "key:key#0 longitude:double latitude:double radius:double unit(M|KM|FT|MI) WITHCOORD? WITHDIST? WITHHASH? count{COUNT=count:integer ANY?@6.2.0}? order(ASC|DESC)? STORE=key:key#1? STOREDIST=key:key#2?",
        run: Run::Reply(georadius),
        ..Command::EMPTY
    },
    Command {
        name: "georadius_ro",
        arity: -6,
        flags: READONLY,
        categories: "geo",
        keys: &[KeySpec::at(1, "RO access")],
        since: "3.2.10",
        group: "geo",
        summary: "A read-only variant for GEORADIUS",
        complexity: "O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index.",
        doc_flags: "deprecated",
        deprecated: Some(("6.2.0", "`GEOSEARCH` with the `BYRADIUS` argument")),
        history: &[("6.2.0", "Added the `ANY` option for `COUNT`.")],
        syntax: "key:key#0 longitude:double latitude:double radius:double unit(M|KM|FT|MI) WITHCOORD? WITHDIST? WITHHASH? count{COUNT=count:integer ANY?@6.2.0}? order(ASC|DESC)?",
        run: Run::Reply(georadius_ro),
        ..Command::EMPTY
    },
    Command {
        name: "georadiusbymember",
        arity: -5,
        flags: WRITE | DENYOOM,
        categories: "geo",
        keys: &[
            KeySpec::at(1, "RO access"),
            KeySpec {
                notes: "",
                flags: "OW update",
                begin: Begin::Keyword("STORE", 5),
                find: Find::Range { last: 0, step: 1, limit: 0 },
            },
            KeySpec {
                notes: "",
                flags: "OW update",
                begin: Begin::Keyword("STOREDIST", 5),
                find: Find::Range { last: 0, step: 1, limit: 0 },
            },
        ],
        since: "3.2.0",
        group: "geo",
        summary: "Query a sorted set representing a geospatial index to fetch members matching a given maximum distance from a member",
        complexity: "O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index.",
        doc_flags: "deprecated",
        deprecated: Some((
            "6.2.0",
            "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments",
        )),
        history: &[("7.0.0", "Added support for uppercase unit names.")],
        syntax: "key:key#0 member:string radius:double unit(M|KM|FT|MI) WITHCOORD? WITHDIST? WITHHASH? count{COUNT=count:integer ANY?}? order(ASC|DESC)? STORE=key:key#1? STOREDIST=key:key#2?",
        run: Run::Reply(georadiusbymember),
        ..Command::EMPTY
    },
    Command {
        name: "georadiusbymember_ro",
        arity: -5,
        flags: READONLY,
        categories: "geo",
        keys: &[KeySpec::at(1, "RO access")],
        since: "3.2.10",
        group: "geo",
        summary: "A read-only variant for GEORADIUSBYMEMBER",
        complexity: "O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index.",
        doc_flags: "deprecated",
        deprecated: Some(("6.2.0", "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments")),
        syntax: "key:key#0 member:string radius:double unit(M|KM|FT|MI) WITHCOORD? WITHDIST? WITHHASH? count{COUNT=count:integer ANY?}? order(ASC|DESC)?",
        run: Run::Reply(georadiusbymember_ro),
        ..Command::EMPTY
    },
    Command {
        name: "geosearch",
        arity: -7,
        flags: READONLY,
        categories: "geo",
        keys: &[KeySpec::at(1, "RO access")],
        since: "6.2.0",
        group: "geo",
        summary: "Query a sorted set representing a geospatial index to fetch members inside an area of a box or a circle.",
        complexity: "O(N+log(M)) where N is the number of elements in the grid-aligned bounding box area around the shape provided as the filter and M is the number of items inside the shape",
        history: &[("7.0.0", "Added support for uppercase unit names.")],
        syntax: "key:key#0 from(FROMMEMBER=member:string|FROMLONLAT=longitude_latitude{longitude:double latitude:double}) by(circle{BYRADIUS=radius:double unit(M|KM|FT|MI)}|box{BYBOX=width:double height:double unit(M|KM|FT|MI)}) order(ASC|DESC)? count{COUNT=count:integer ANY?}? WITHCOORD? WITHDIST? WITHHASH?",
        run: Run::Reply(geosearch),
        ..Command::EMPTY
    },
    Command {
        name: "geosearchstore",
        arity: -8,
        flags: WRITE | DENYOOM,
        categories: "geo",
        keys: &[KeySpec::at(1, "OW update"), KeySpec::at(2, "RO access")],
        since: "6.2.0",
        group: "geo",
        summary: "Query a sorted set representing a geospatial index to fetch members inside an area of a box or a circle, and store the result in another key.",
        complexity: "O(N+log(M)) where N is the number of elements in the grid-aligned bounding box area around the shape provided as the filter and M is the number of items inside the shape",
        history: &[("7.0.0", "Added support for uppercase unit names.")],
        syntax: "destination:key#0 source:key#1 from(FROMMEMBER=member:string|FROMLONLAT=longitude_latitude{longitude:double latitude:double}) by(circle{BYRADIUS=radius:double unit(M|KM|FT|MI)}|box{BYBOX=width:double height:double unit(M|KM|FT|MI)}) order(ASC|DESC)? count{COUNT=count:integer ANY?}? STOREDIST?",
        run: Run::Reply(geosearchstore),
        ..Command::EMPTY
    },
];

/// `GEOADD key [NX | XX] [CH] longitude latitude member [longitude latitude member ...]`
fn geoadd(context: &mut Context, args: &mut Args) -> Answer {
    let key = args.key()?;
    let (mut nx, mut xx) = (false, false);
    let mut argv = vec![b"zadd".to_vec(), key.to_vec()];
    while let Some(option) = args.peek() {
        if args.option("nx") {
            nx = true;
        } else if args.option("xx") {
            xx = true;
        } else if !args.option("ch") {
            break;
        }
        argv.push(option.to_vec());
    }
    if nx && xx || !args.remaining().is_multiple_of(3) {
        return Err(Error::SYNTAX);
    }
    while !args.is_empty() {
        let (_, score) = place(args)?;
        argv.push((score as u64).to_string().into_bytes());
        argv.push(args.bytes()?.to_vec());
    }
    zadd(context, &mut Args::new(&argv, 1))
}

/// A longitude and a latitude, and the score of the place.
fn place(args: &mut Args) -> Result<(Position, f64), Error> {
    let place = (args.float()?, args.float()?);
    match geo::score(place) {
        Some(score) => Ok((place, score)),
        None => Err(Error::invalid_place(&format_f(place.0, 6), &format_f(place.1, 6))),
    }
}

/// The metres of a unit.
fn unit(args: &mut Args) -> Result<f64, Error> {
    let units = [("m", 1.0), ("km", 1000.0), ("ft", 0.3048), ("mi", 1609.34)];
    let unit = units.into_iter().find(|(name, _)| args.option(name));
    unit.map(|(_, metres)| metres).ok_or(Error::UNIT)
}

/// A distance with four decimals, which are rounded after the multiplication.
fn show_distance(distance: f64) -> Reply {
    let scaled = (distance * 10_000.0).round_ties_even() as u64;
    Reply::bulk(format!("{}.{:04}", scaled / 10_000, scaled % 10_000))
}

fn show_position((longitude, latitude): Position) -> Reply {
    Reply::Array(vec![Reply::Decimal(longitude), Reply::Decimal(latitude)])
}

/// GEODIST key member1 member2 [M | KM | FT | MI]
fn geodist(context: &mut Context, args: &mut Args) -> Answer {
    let (key, one, other) = (args.key()?, args.bytes()?, args.bytes()?);
    let unit = match args.remaining() {
        0 => 1.0,
        1 => unit(args)?,
        _ => return Err(Error::SYNTAX),
    };
    let set = context.read::<SortedSet>(key)?;
    let place = |member: &[u8]| set.and_then(|set| set.score(member)).map(geo::position);
    let (Some(one), Some(other)) = (place(one), place(other)) else { return Ok(Reply::Null) };
    Ok(show_distance(geo::distance(one, other) / unit))
}

/// `GEOHASH key member [member ...]`
fn geohash(context: &mut Context, args: &mut Args) -> Answer {
    each(context, args, |score| Reply::bulk(geo::name(score)), &Reply::Null)
}

/// `GEOPOS key member [member ...]`
fn geopos(context: &mut Context, args: &mut Args) -> Answer {
    each(context, args, |score| show_position(geo::position(score)), &Reply::NullArray)
}

/// What becomes of the score of each member.
fn each(context: &mut Context, args: &mut Args, show: fn(f64) -> Reply, missing: &Reply) -> Answer {
    let (key, members) = (args.key()?, args.rest());
    let set = context.read::<SortedSet>(key)?;
    let score = |member: &Vec<u8>| set.and_then(|set| set.score(member));
    let shown = members.iter().map(|member| score(member).map_or_else(|| missing.clone(), show));
    Ok(Reply::Array(shown.collect()))
}

/// How a command says where to look.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A longitude, a latitude and a radius stand first; it may store what it finds.
    Radius(bool),
    /// A member and a radius do.
    Member(bool),
    /// All in options.
    Search,
    /// All in options; what it finds is stored at the key that stands first.
    Store,
}

/// GEORADIUS key longitude latitude radius unit, with all of its options
fn georadius(context: &mut Context, args: &mut Args) -> Answer {
    search(context, args, Form::Radius(true))
}

/// `GEORADIUS_RO`: GEORADIUS without STORE
fn georadius_ro(context: &mut Context, args: &mut Args) -> Answer {
    search(context, args, Form::Radius(false))
}

/// GEORADIUSBYMEMBER key member radius unit, with all of its options
fn georadiusbymember(context: &mut Context, args: &mut Args) -> Answer {
    search(context, args, Form::Member(true))
}

/// `GEORADIUSBYMEMBER_RO`: GEORADIUSBYMEMBER without STORE
fn georadiusbymember_ro(context: &mut Context, args: &mut Args) -> Answer {
    search(context, args, Form::Member(false))
}

/// GEOSEARCH key, with all of its options
fn geosearch(context: &mut Context, args: &mut Args) -> Answer {
    search(context, args, Form::Search)
}

/// GEOSEARCHSTORE destination source, with all of its options
fn geosearchstore(context: &mut Context, args: &mut Args) -> Answer {
    search(context, args, Form::Store)
}

/// A radius and its unit.
fn circle(args: &mut Args) -> Result<(Area, f64), Error> {
    let radius = args.float_or(Error::RADIUS)?;
    if radius < 0.0 {
        return Err(Error::RADIUS_NEGATIVE);
    }
    Ok((Area::Circle(radius), unit(args)?))
}

/// A width, a height and their unit.
fn rectangle(args: &mut Args) -> Result<(Area, f64), Error> {
    let (width, height) = (args.float_or(Error::WIDTH)?, args.float_or(Error::HEIGHT)?);
    if width < 0.0 || height < 0.0 {
        return Err(Error::BOX_NEGATIVE);
    }
    Ok((Area::Box(width, height), unit(args)?))
}

/// What is asked for.
struct Query<'a> {
    center: Option<Position>,
    area: Option<(Area, f64)>,
    is_from_member: bool,
    with_distance: bool,
    with_score: bool,
    with_position: bool,
    count: Option<usize>,
    /// Any COUNT places will do.
    any: bool,
    /// The nearest first, or the farthest.
    order: Option<bool>,
    destination: Option<&'a [u8]>,
    /// What is stored are distances.
    stores_distances: bool,
}

impl<'a> Query<'a> {
    /// Reads all that stands behind the key of the places, which are `set`.
    fn parse(
        args: &mut Args<'a>,
        form: Form,
        destination: Option<&'a [u8]>,
        set: Option<&SortedSet>,
    ) -> Result<Query<'a>, Error> {
        let name = args.argv().first().map(Vec::as_slice).unwrap_or_default();
        let mut query = Query {
            center: None,
            area: None,
            is_from_member: false,
            with_distance: false,
            with_score: false,
            with_position: false,
            count: None,
            any: false,
            order: None,
            destination,
            stores_distances: false,
        };
        match form {
            Form::Radius(_) => {
                query.center = Some(place(args)?.0);
                query.area = Some(circle(args)?);
            }
            Form::Member(_) if set.is_none() => {
                args.take(3)?;
            }
            Form::Member(_) => {
                query.center = member(set, args.bytes()?)?;
                query.area = Some(circle(args)?);
            }
            Form::Search | Form::Store => {}
        }
        let may_store = matches!(form, Form::Radius(true) | Form::Member(true));
        let searches = matches!(form, Form::Search | Form::Store);
        let (mut is_from_place, mut is_box) = (false, false);
        while !args.is_empty() {
            let left = args.remaining() - 1;
            if args.option("withdist") {
                query.with_distance = true;
            } else if args.option("withhash") {
                query.with_score = true;
            } else if args.option("withcoord") {
                query.with_position = true;
            } else if args.option("any") {
                query.any = true;
            } else if args.option("asc") {
                query.order = Some(true);
            } else if args.option("desc") {
                query.order = Some(false);
            } else if left >= 1 && args.option("count") {
                let count = args.integer()?;
                if count <= 0 {
                    return Err(Error::COUNT_ZERO);
                }
                query.count = Some(usize::try_from(count).unwrap_or(usize::MAX));
            } else if may_store && left >= 1 && args.option("store") {
                (query.destination, query.stores_distances) = (Some(args.key()?), false);
            } else if may_store && left >= 1 && args.option("storedist") {
                (query.destination, query.stores_distances) = (Some(args.key()?), true);
            } else if searches && left >= 1 && !is_from_place && args.option("frommember") {
                query.center = member(set, args.bytes()?)?;
                query.is_from_member = true;
            } else if searches && left >= 2 && !query.is_from_member && args.option("fromlonlat") {
                query.center = Some(place(args)?.0);
                is_from_place = true;
            } else if searches && left >= 2 && !is_box && args.option("byradius") {
                query.area = Some(circle(args)?);
            } else if searches
                && left >= 3
                && (is_box || query.area.is_none())
                && args.option("bybox")
            {
                query.area = Some(rectangle(args)?);
                is_box = true;
            } else if form == Form::Store && args.option("storedist") {
                query.stores_distances = true;
            } else {
                return Err(Error::SYNTAX);
            }
        }
        let shows = query.with_distance || query.with_score || query.with_position;
        if query.destination.is_some() && shows {
            return Err(if form == Form::Store {
                Error::SEARCH_STORES
            } else {
                Error::RADIUS_STORES
            });
        }
        if searches && !is_from_place && !query.is_from_member {
            return Err(Error::exactly_one_of("FROMMEMBER or FROMLONLAT", name));
        }
        if searches && query.area.is_none() {
            return Err(Error::exactly_one_of("BYRADIUS and BYBOX", name));
        }
        if query.any && query.count.is_none() {
            return Err(Error::ANY_WITHOUT_COUNT);
        }
        // The nearest ones are meant, if not any.
        if query.count.is_some() && !query.any && query.order.is_none() {
            query.order = Some(true);
        }
        Ok(query)
    }

    /// What there is to find.
    fn run<'s>(&self, set: &'s SortedSet) -> (Vec<Found<'s>>, f64) {
        let (Some(center), Some((area, unit))) = (self.center, self.area) else {
            return (Vec::new(), 1.0);
        };
        let shape = Shape { center, unit, area };
        let most = self.count.filter(|_| self.any).unwrap_or(usize::MAX);
        let mut found = Vec::new();
        for (first, end) in shape.ranges() {
            let ranks = set.within(&Bounds::Scores([(first, false), (end, true)]), 0, false);
            for (member, score) in set.range(ranks) {
                if found.len() >= most {
                    break;
                }
                let position = geo::position(score);
                if let Some(distance) = shape.distance(position) {
                    found.push(Found { member, score, position, distance });
                }
            }
        }
        let count = self.count.unwrap_or(usize::MAX).min(found.len());
        if let Some(is_ascending) = self.order {
            let places = sorted_places(found.len(), 0..count, &|one, other| {
                let order = found[one as usize].distance.total_cmp(&found[other as usize].distance);
                if is_ascending { order } else { order.reverse() }
            });
            found = places.iter().map(|place| found[*place as usize].clone()).collect();
        }
        found.truncate(count);
        (found, unit)
    }
}

/// A place that was found.
#[derive(Clone)]
struct Found<'a> {
    member: &'a [u8],
    score: f64,
    position: Position,
    /// In metres.
    distance: f64,
}

/// Where a member is; an error if it is none of the set, but if there is no set all will end well.
fn member(set: Option<&SortedSet>, member: &[u8]) -> Result<Option<Position>, Error> {
    let Some(set) = set else { return Ok(None) };
    let score = set.score(member).ok_or(Error::NO_PLACE)?;
    Ok(Some(geo::position(score)))
}

fn search(context: &mut Context, args: &mut Args, form: Form) -> Answer {
    let destination = if form == Form::Store { Some(args.key()?) } else { None };
    let limits = sorted_set::limits(context);
    let set = context.read::<SortedSet>(args.key()?)?;
    let query = Query::parse(args, form, destination, set)?;
    let (found, unit) = set.map_or_else(|| (Vec::new(), 1.0), |set| query.run(set));
    let Some(destination) = query.destination else {
        let show = |found: Found| {
            let mut shown = vec![Reply::bulk(found.member)];
            if query.with_distance {
                shown.push(show_distance(found.distance / unit));
            }
            if query.with_score {
                shown.push(Reply::Integer(found.score as i64));
            }
            if query.with_position {
                shown.push(show_position(found.position));
            }
            match <[Reply; 1]>::try_from(shown) {
                Ok([member]) => member,
                Err(shown) => Reply::Array(shown),
            }
        };
        return Ok(Reply::Array(found.into_iter().map(show).collect()));
    };
    let mut stored = SortedSet::skiplist();
    for place in &found {
        let score = if query.stores_distances { place.distance / unit } else { place.score };
        stored.set(place.member, score, limits);
    }
    stored.pack(limits);
    let changes = (stored.len() as u64).saturating_sub(1);
    let event = if form == Form::Store { "geosearchstore" } else { "georadiusstore" };
    let reply = sorted_set::store(context, destination, stored, event);
    context.server.changes += changes;
    Ok(reply)
}
